import type { ServiceConfig } from '../../config/service-config.ts';
import type { Ports } from '../../ports/ports.ts';
import type { JobObservation } from '../../training/attempts/job.ts';
import { placementOf, type QueueFacts } from '../../training/attempts/placement.ts';
import { unplaceableReason } from '../../training/attempts/stop-reason.ts';
import type { Attempt, Capacity } from '../../training/run.ts';
import { stages } from '../../training/stages.ts';

type Needed = Pick<Ports, 'runs' | 'jobs' | 'notifier' | 'config' | 'clock' | 'log' | 'metrics'>;

/** What a pass knows: its own open attempts and what their backends said of them. */
export interface Observed {
  readonly attempts: readonly Attempt[];
  readonly jobs: ReadonlyMap<string, JobObservation>;
  readonly shard: number;
}

interface Pending {
  readonly attempt: Attempt;
  readonly observed: JobObservation;
}

/** vCPU a queue may use; 0 when that is not known. */
function vcpusOf({ capacity }: ServiceConfig, backend: Attempt['backend'], kind: Capacity): number {
  if (backend === 'batch') return kind === 'spot' ? capacity.batchSpotVcpus : capacity.batchOnDemandVcpus;
  if (backend === 'eks') return kind === 'spot' ? capacity.eksSpotVcpus : capacity.eksOnDemandVcpus;
  return 0;
}

function cpuOf(attempt: Attempt): number {
  return (attempt.resources ?? stages[attempt.stage].resources).cpu;
}

function pendingSince({ submittedAt, intentAt }: Attempt): number {
  return Date.parse(submittedAt ?? intentAt);
}

function queueFacts(config: ServiceConfig, job: Attempt, open: readonly Attempt[]): QueueFacts {
  // The local backend is one machine, whatever kind of capacity a job asked for.
  const sameQueue = (one: Attempt) =>
    one.backend === job.backend && (one.backend === 'local' || one.capacity === job.capacity);
  const running = open.filter((one) => sameQueue(one) && one.status === 'running');
  const starts = running.flatMap(({ startedAt }) => (startedAt === undefined ? [] : [Date.parse(startedAt)]));
  return {
    vcpus: vcpusOf(config, job.backend, job.capacity),
    runningVcpus: running.reduce((sum, one) => sum + cpuOf(one), 0),
    ...(starts.length === 0 ? {} : { lastStartAt: Math.max(...starts) }),
  };
}

/** Open attempts of all shards: a queue is shared by all of them. Read only when a job has waited too long. */
async function openEverywhere({ runs, config }: Needed, { attempts, shard }: Observed): Promise<Attempt[]> {
  const { shards } = config.reconcile;
  const all = [...attempts];
  for (let other = 0; other < shards; other += 1)
    if (other !== shard) all.push(...(await runs.listOpenAttempts({ shard: other, shards })));
  return all;
}

/** F18: both kinds are short; the bounded retries go on, the old models stay, and people should know. */
async function alert({ notifier }: Needed, stuck: readonly Attempt[], limitSeconds: number): Promise<void> {
  const names = stuck.map((attempt) => attempt.jobName);
  await notifier.notify({
    severity: 'warning',
    subject: 'On-demand capacity cannot be had',
    body: `${names.length} jobs found no on-demand capacity within ${limitSeconds} seconds (${names.slice(0, 10).join(', ')}${names.length > 10 ? ', ...' : ''}). They are tried again until their retries are spent; the models that are live stay.`,
  });
}

/** Tells one late job to try elsewhere, unless it only waits for its turn; true when it was told. */
async function giveUp(ports: Needed, { attempt, observed }: Pending, facts: QueueFacts): Promise<boolean> {
  const limit = { now: ports.clock.now(), limitSeconds: ports.config.training.placementSeconds };
  const pending = { since: pendingSince(attempt), vcpus: cpuOf(attempt) };
  // A backend that says why nothing takes the job knows better than our count of what runs.
  if (observed.blocked === undefined && placementOf(pending, facts, limit) !== 'unplaceable') return false;
  const waited = Math.round((limit.now - pending.since) / 1000);
  const words = observed.blocked ? ` (${observed.blocked})` : '';
  const why = `no ${attempt.capacity} capacity within ${waited} seconds${words}`;
  await ports.jobs[attempt.backend]?.cancel(observed, unplaceableReason(why));
  ports.metrics.count('PlacementsGivenUp', 1, { backend: attempt.backend, capacity: attempt.capacity });
  ports.log.warn('job could not be placed', { runId: attempt.runId, jobName: attempt.jobName, ...facts });
  return true;
}

/**
 * Stops jobs that their backend could not place in time, so that their next attempt asks for the other kind of capacity.
 * Their completion comes as `unplaceable`; telling a job twice does nothing. One job's fault never keeps the others
 * waiting. Returns how many were told.
 */
export async function giveUpPlacement(ports: Needed, observed: Observed): Promise<number> {
  const { placementSeconds } = ports.config.training;
  const latest = ports.clock.now() - placementSeconds * 1000;
  const late = observed.attempts.flatMap((attempt): Pending[] => {
    const job = observed.jobs.get(attempt.jobName);
    return job?.state === 'pending' && job.unstartable === undefined && pendingSince(attempt) <= latest
      ? [{ attempt, observed: job }]
      : [];
  });
  if (late.length === 0) return 0;
  const open = await openEverywhere(ports, observed);
  const stuck: Attempt[] = [];
  for (const pending of late) {
    const { attempt } = pending;
    try {
      if (await giveUp(ports, pending, queueFacts(ports.config, attempt, open))) stuck.push(attempt);
    } catch (error) {
      ports.metrics.count('ReconcilerFaults', 1);
      ports.log.error('placement not given up', { jobName: attempt.jobName, error: String(error) });
    }
  }
  const dearest = stuck.filter((attempt) => attempt.capacity === 'on-demand');
  if (dearest.length > 0) await alert(ports, dearest, placementSeconds);
  return stuck.length;
}
