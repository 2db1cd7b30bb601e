/** What is taken of Secrets Manager, loaded with the first secret; in the lazy bundle (infra/serverless/lazy-bundle.ts). */
export { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
