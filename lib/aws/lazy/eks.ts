/** What access to a cluster takes, loaded with the first call to it; in the lazy bundle (infra/serverless/lazy-bundle.ts). */
export {
  DescribeClusterCommand,
  DescribeNodegroupCommand,
  EKSClient,
  UpdateNodegroupConfigCommand,
} from '@aws-sdk/client-eks';
export { STSClient } from '@aws-sdk/client-sts';
export { SignatureV4 } from '@smithy/signature-v4';
