/** Namespace of all training jobs (infra/k8s/jobs/namespace.yaml). */
export const jobNamespace = 'ml-jobs';

/** The shared identity of all jobs; what one may reach is decided by the tenant session it takes (docs/kubernetes.md). */
export const jobServiceAccount = 'training-job';

/** Name of the one container of a job. */
export const jobContainer = 'job';

/** Labels of jobs and their pods: what they are selected by. */
export const jobLabels = {
  managedBy: 'app.kubernetes.io/managed-by',
  /** The job's own name, so that many jobs are listed in one call. */
  job: 'epsilon/job',
  tenant: 'epsilon/tenant',
  stage: 'epsilon/stage',
  attempt: 'epsilon/attempt',
  capacity: 'epsilon/capacity',
} as const;

/** Value of the `managedBy` label. */
export const manager = 'epsilon';

/** Label that Kubernetes itself puts on the pods of a job. */
export const podJobLabel = 'batch.kubernetes.io/job-name';

/** Annotations of jobs: facts that do not fit a label (63 characters of a narrow alphabet). */
export const jobAnnotations = {
  tenantId: 'epsilon/tenant-id',
  runId: 'epsilon/run-id',
  logicalDate: 'epsilon/logical-date',
  traceId: 'epsilon/trace-id',
  /** Why we stopped the job (lib/training/attempts/stop-reason.ts); written with the stop itself. */
  stopReason: 'epsilon/stop-reason',
} as const;

/** Selects everything that Epsilon created and nothing else. */
export const ourJobs = `${jobLabels.managedBy}=${manager}`;

/** Labels of nodes (infra/pulumi/node-groups.ts, training-nodes.ts): which work a node is for, and how it is paid. */
export const nodeLabels = { workload: 'workload', capacity: 'epsilon/capacity' } as const;

/** Classes of infra/k8s/jobs/priority-classes.yaml by the lowest priority (0 to 100) that they hold, highest first. */
export const priorityClasses: readonly { readonly from: number; readonly name: string }[] = [
  { from: 67, name: 'training-high' },
  { from: 34, name: 'training-normal' },
  { from: 0, name: 'training-low' },
];
