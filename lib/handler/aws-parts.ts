import type { AwsBase, PortsPart } from '../aws/wiring/base.ts';

/**
 * One part of AWS that a function may be wired with. Each is loaded when the function's first invocation wires it, and a
 * bundler leaves out the parts, with their SDK clients, that a function does not name.
 */
export type AwsPart = () => Promise<{ readonly part: (base: AwsBase) => PortsPart }>;

/** Tenants, runs, leases, claims, models and verdicts, in DynamoDB. */
export const awsStores: AwsPart = () => import('../aws/wiring/wire-stores.ts');

/** Objects, in S3. */
export const awsObjects: AwsPart = () => import('../aws/wiring/wire-objects.ts');

/** Jobs of the Batch backend. */
export const awsBatch: AwsPart = () => import('../aws/wiring/wire-batch.ts');

/** Jobs of the Kubernetes backend, where the deployment names a cluster; the client is loaded when a job is first touched. */
export const awsKubernetes: AwsPart = () => import('../aws/wiring/wire-kubernetes.ts');

/** Answers to waiting tasks, by Step Functions. */
export const awsCallbacks: AwsPart = () => import('../aws/wiring/wire-callbacks.ts');

/** Executions, in Step Functions. */
export const awsWorkflows: AwsPart = () => import('../aws/wiring/wire-workflows.ts');

/** Our bus, on EventBridge. */
export const awsEvents: AwsPart = () => import('../aws/wiring/wire-events.ts');

/** People, through SNS. */
export const awsNotifier: AwsPart = () => import('../aws/wiring/wire-notifier.ts');

/** Image digests, from ECR. */
export const awsImages: AwsPart = () => import('../aws/wiring/wire-images.ts');
