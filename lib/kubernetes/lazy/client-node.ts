/** What is taken of the Kubernetes client, loaded with the first call; in the lazy bundle (infra/serverless/lazy-bundle.ts). */
export {
  BatchV1Api,
  CoreV1Api,
  createConfiguration,
  PatchStrategy,
  ResponseContext,
  ServerConfiguration,
  setHeaderOptions,
  wrapHttpLibrary,
} from '@kubernetes/client-node';
