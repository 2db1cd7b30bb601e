import type { JobRunner } from '../../ports/job-runner.ts';
import type { Ports } from '../../ports/ports.ts';
import type { AttemptKey } from '../../ports/run-store.ts';
import { preemptionReason } from '../../training/attempts/stop-reason.ts';
import { type SpotSignal, stayingBecause } from '../../training/attempts/vacating.ts';

/** What was asked. */
export interface InstanceSignal {
  readonly signal: SpotSignal;
  readonly instanceId: string;
}

/** What was found on the instance and what became of it. */
export interface VacateCounts {
  /** Attempts on the instance. */
  readonly found: number;
  /** Jobs that were asked to leave. */
  readonly vacated: number;
  /** Jobs that stay, or were over already. */
  readonly stayed: number;
}

type Needed = Pick<Ports, 'runs' | 'jobs' | 'clock' | 'log'>;

const words: Readonly<Record<SpotSignal, string>> = {
  interruption: 'EC2 reclaims its spot instance in two minutes',
  rebalance: 'EC2 recommends leaving its spot instance',
};

/** Asks one attempt's job to leave, unless it should stay; true when it was asked. */
async function vacate(
  ports: Needed,
  runner: JobRunner,
  { key, signal, instanceId }: InstanceSignal & { readonly key: AttemptKey },
): Promise<boolean> {
  const siblings = await ports.runs.listAttempts(key.runId);
  const attempt = siblings.find((one) => one.stage === key.stage && one.attempt === key.attempt);
  const fields = { ...key, instanceId, signal };
  if (!attempt) {
    ports.log.warn('a job on the instance is not on record', fields);
    return false;
  }
  const stays = stayingBecause(attempt, { signal, siblings, now: ports.clock.now() });
  if (stays) {
    ports.log.info('job stays on its instance', { ...fields, because: stays });
    return false;
  }
  // Between intent and record the backend alone knows the job's id.
  const jobId = attempt.jobId ?? (await runner.find(attempt.jobName))?.jobId;
  if (jobId === undefined) return false;
  await runner.cancel(
    { jobName: attempt.jobName, jobId },
    preemptionReason(`${words[signal]} (${instanceId})`),
  );
  ports.log.info('job asked to leave its instance', { ...fields, jobName: attempt.jobName });
  return true;
}

/**
 * Asks the jobs on an instance to leave. One job's fault never stops the others; the first fault is thrown at the end, so
 * that the delivery is repeated: asking a job twice does no harm.
 */
export async function vacateInstance(ports: Needed, asked: InstanceSignal): Promise<VacateCounts> {
  const faults: unknown[] = [];
  let [found, vacated] = [0, 0];
  for (const runner of Object.values(ports.jobs)) {
    if (!runner) continue;
    try {
      for (const key of (await runner.runningOn?.(asked.instanceId)) ?? []) {
        found += 1;
        try {
          if (await vacate(ports, runner, { ...asked, key })) vacated += 1;
        } catch (error) {
          faults.push(error);
        }
      }
    } catch (error) {
      // A backend that cannot be asked must not keep the others' jobs from leaving.
      faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
  return { found, vacated, stayed: found - vacated };
}
