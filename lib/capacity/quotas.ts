/** A bound of the platform that a night meets on its way, whatever its queues hold. */
export interface Quota {
  readonly name: string;
  /** Requests a second, or how many there may be at a time. */
  readonly limit: number;
  /** How many of them one run takes. */
  readonly perRun: number;
  /** Where the number comes from. */
  readonly source: string;
}

/**
 * Quotas by the second. A run is begun by two StartExecution calls (the Map's child and the training itself), submits five
 * jobs and calls thirteen functions of about a second each: one begins it, five submit, five complete, one promotes, one ends it.
 */
const quotasPerSecond = {
  startExecution: {
    name: 'StartExecution',
    limit: 150,
    perRun: 2,
    source: 'Step Functions quotas, refill a second outside the three largest regions',
  },
  submitJob: { name: 'SubmitJob', limit: 50, perRun: 5, source: 'Batch quotas' },
  lambda: {
    name: 'Lambda concurrency',
    limit: 1_000,
    perRun: 13,
    source: 'Lambda quotas, concurrent executions of a new account in seconds of work a second',
  },
} as const satisfies Readonly<Record<string, Quota>>;

/** Child executions of one distributed Map at a time (Step Functions quotas). */
export const mostChildExecutions = 10_000;

/** Jobs of one run on Kubernetes: five stages and a fifth more for further tries. */
const jobsOfARun = 6;

/** Job objects that the namespace holds (infra/k8s/jobs), and how long a finished one is kept, in seconds. */
export const keptJobs = { limit: 30_000, perRun: jobsOfARun, seconds: 10_800 } as const;

/** Runs a second that every quota lets begin for as long as a night lasts. `batch`: SubmitJob counts too. */
export function runsPerSecond(backend: string): number {
  const { startExecution, submitJob, lambda } = quotasPerSecond;
  const met = backend === 'batch' ? [startExecution, submitJob, lambda] : [startExecution, lambda];
  return Math.min(...met.map(({ limit, perRun }) => limit / perRun));
}
