/** What an upload in parts takes, loaded with the first one; in the lazy bundle (infra/serverless/lazy-bundle.ts). */
export { Upload } from '@aws-sdk/lib-storage';
