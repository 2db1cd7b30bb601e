/** What is taken of KMS, loaded with the first task token; a re-export, so that a bundler leaves the rest of the package out. */
export { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
