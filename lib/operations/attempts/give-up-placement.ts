import { vcpusOf } from '../../capacity/queues.ts';
import type { ServiceConfig } from '../../config/service-config.ts';
import type { Ports } from '../../ports/ports.ts';
import type { JobObservation } from '../../training/attempts/job.ts';
import {
  mayGoBack,
  movable,
  type PendingJob,
  placementOf,
  type QueueFacts,
} from '../../training/attempts/placement.ts';
import { unplaceableReason } from '../../training/attempts/stop-reason.ts';
import type { Attempt } from '../../training/run.ts';
import { jobKinds } from '../../training/stages.ts';

type Needed = Pick<Ports, 'runs' | 'jobs' | 'notifier' | 'config' | 'clock' | 'log' | 'metrics'>;

/** What a pass knows: its own open attempts and what their backends said of them. */
export interface Observed {
  readonly attempts: readonly Attempt[];
  readonly jobs: ReadonlyMap<string, JobObservation>;
  readonly shard: number;
}

/** A job that has waited too long, as the rules of placement see it, and whose it is. */
interface Late extends PendingJob {
  readonly attempt: Attempt;
  readonly observed: JobObservation;
}

/** A late job that is stopped to try elsewhere, and why. */
interface Move {
  readonly late: Late;
  readonly why: string;
  /** It left spot for want of it, and spot is back. */
  readonly back?: true;
}

function cpuOf(attempt: Attempt): number {
  return (attempt.resources ?? jobKinds[attempt.stage].resources).cpu;
}

/** A night with time to spare waits for spot: only a job on spot has such a time. */
function spotLimitOf({ capacity, spotUntil }: Attempt): Pick<PendingJob, 'spotUntil'> {
  return capacity === 'spot' && spotUntil !== undefined ? { spotUntil: Date.parse(spotUntil) } : {};
}

function pendingSince({ submittedAt, intentAt }: Attempt): number {
  return Date.parse(submittedAt ?? intentAt);
}

/** What is known of the queue that a job waits in, or of the one it could be moved to. */
function queueFacts(
  config: ServiceConfig,
  { backend, capacity }: Pick<Attempt, 'backend' | 'capacity'>,
  open: readonly Attempt[],
): QueueFacts {
  // The local backend is one machine, whatever kind of capacity a job asked for.
  const here = open.filter(
    (one) => one.backend === backend && (backend === 'local' || one.capacity === capacity),
  );
  const running = here.filter(({ status }) => status === 'running');
  const waiting = here.filter(({ status }) => status === 'intent' || status === 'submitted');
  const starts = running.flatMap(({ startedAt }) => (startedAt === undefined ? [] : [Date.parse(startedAt)]));
  const sum = (attempts: readonly Attempt[]) => attempts.reduce((total, one) => total + cpuOf(one), 0);
  return {
    vcpus: vcpusOf(config, `${backend}/${capacity}`),
    runningVcpus: sum(running),
    pendingVcpus: sum(waiting),
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
    subject: 'No on-demand capacity is available',
    body: `${names.length} jobs found no on-demand capacity within ${limitSeconds} seconds (${names.slice(0, 10).join(', ')}${names.length > 10 ? ', ...' : ''}). They are tried again until their retries are spent; the models that are live stay.`,
  });
}

/**
 * Which late jobs to stop, so that their next attempt asks for the other capacity. Of the jobs that spot does not place, only
 * as many as on-demand has room for; each shard uses its part of that room. A job that left spot because spot was missing, and
 * that waits behind others on-demand, moves back.
 */
function movesOf({ config, clock }: Needed, late: readonly Late[], open: readonly Attempt[]): Move[] {
  const limit = { now: clock.now(), limitSeconds: config.training.placementSeconds };
  const factsOf = (attempt: Pick<Attempt, 'backend' | 'capacity'>) => queueFacts(config, attempt, open);
  const found = late.flatMap((one): Move[] => {
    const { attempt, observed, since } = one;
    const waited = Math.round((limit.now - since) / 1000);
    const words = observed.blocked ? ` (${observed.blocked})` : '';
    const why = `no ${attempt.capacity} capacity within ${waited} seconds${words}`;
    // A backend that says why nothing takes the job knows better than our count of what runs; missing spot may come back.
    const maySettle = observed.blocked?.startsWith('CAPACITY:') && limit.now < (one.spotUntil ?? 0);
    if (
      (observed.blocked !== undefined && !maySettle) ||
      placementOf(one, factsOf(attempt), limit) === 'unplaceable'
    )
      return [{ late: one, why }];
    const left = attempt.capacityBecause === 'spot-unplaceable';
    const { backend } = attempt;
    return left && mayGoBack(one, factsOf({ backend, capacity: 'spot' }), limit)
      ? [{ late: one, why: `spot capacity is back, and on-demand is full for ${waited} seconds`, back: true }]
      : [];
  });
  const [spot, dear] = [true, false].map((isSpot) =>
    found.filter(({ late: { attempt } }) => (attempt.capacity === 'spot') === isSpot),
  ) as [Move[], Move[]];
  const chosen = [...Map.groupBy(spot, ({ late: { attempt } }) => attempt.backend)].flatMap(
    ([backend, moves]) => {
      const to = factsOf({ backend, capacity: 'on-demand' });
      const jobs = moves.map((move) => ({ ...move.late, move }));
      return movable(jobs, to, config.reconcile.shards).map(({ move }) => move);
    },
  );
  return [...chosen, ...dear];
}

async function stop(ports: Needed, { late: { attempt, observed }, why }: Move): Promise<void> {
  await ports.jobs[attempt.backend]?.cancel(observed, unplaceableReason(why));
  ports.metrics.count('PlacementsGivenUp', 1, { backend: attempt.backend, capacity: attempt.capacity });
  ports.log.warn('job could not be placed', { runId: attempt.runId, jobName: attempt.jobName, why });
}

/**
 * Stops jobs that their backend could not place in time, so that their next attempt asks for the other kind of capacity.
 * Their completion comes as `unplaceable`; stopping a job twice does nothing. One job's fault never keeps the others
 * waiting. Returns how many it stopped.
 */
export async function giveUpPlacement(ports: Needed, observed: Observed): Promise<number> {
  const { placementSeconds } = ports.config.training;
  const latest = ports.clock.now() - placementSeconds * 1000;
  const late = observed.attempts.flatMap((attempt): Late[] => {
    const job = observed.jobs.get(attempt.jobName);
    const since = pendingSince(attempt);
    return job?.state === 'pending' && job.unstartable === undefined && since <= latest
      ? [{ attempt, observed: job, since, vcpus: cpuOf(attempt), ...spotLimitOf(attempt) }]
      : [];
  });
  if (late.length === 0) return 0;
  const stopped: Move[] = [];
  for (const move of movesOf(ports, late, await openEverywhere(ports, observed))) {
    try {
      await stop(ports, move);
      stopped.push(move);
    } catch (error) {
      ports.metrics.count('ReconcilerFaults', 1);
      const { jobName } = move.late.attempt;
      ports.log.error('late job not stopped', { jobName, error: String(error) });
    }
  }
  const missing = stopped.filter(({ back, late: { attempt } }) => !back && attempt.capacity === 'on-demand');
  if (missing.length > 0)
    await alert(
      ports,
      missing.map((move) => move.late.attempt),
      placementSeconds,
    );
  return stopped.length;
}
