import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { StaleFence, Throttled } from '../../errors/run-errors.ts';
import { ConditionFailed } from '../../errors/store-errors.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import type { LeaseRenewal, RunChanges } from '../../ports/run-store.ts';
import type { Run, RunStatus } from '../../training/run.ts';

type Needed = Pick<Ports, 'runs' | 'leases' | 'clock' | 'config'>;

function leaseEnd({ clock, config }: Pick<Ports, 'clock' | 'config'>): string {
  return new Date(clock.now() + config.training.leaseSeconds * 1000).toISOString();
}

/** The renewal of a run's lease from now on. */
export function renewalFor(ports: Pick<Ports, 'clock' | 'config'>, run: Run): LeaseRenewal {
  const { tenantId, runId: holder, fence } = run;
  return { tenantId, holder, fence, expiresAt: leaseEnd(ports) };
}

/** Takes the tenant's lease for a try of a run's execution; gives its fence. `TenantBusy` when another run or a later try holds it. */
export async function acquireLease(
  ports: Pick<Ports, 'leases' | 'clock' | 'config'>,
  { tenantId, runId: holder }: Pick<Run, 'tenantId' | 'runId'>,
  redriveCount: number,
): Promise<number> {
  const times = { now: isoNow(ports.clock), expiresAt: leaseEnd(ports) };
  return (await ports.leases.acquire({ tenantId, holder, redriveCount, ...times })).fence;
}

/** When a try of an execution comes too late: its run was redriven since, or is over. Nothing was touched. */
export function runIsOver({ runId, status, redriveCount }: Run): EpsilonError {
  return new EpsilonError(
    'RUN_OVER',
    `Run ${runId} is ${status} (redrive ${redriveCount}); this try of its execution is over.`,
    { exitCode: exitCodes.conflict },
  );
}

/** Times that a run is taken up from a new reading because somebody else changed it in between. */
const rounds = 5;

const ended: ReadonlySet<RunStatus> = new Set(['failed', 'aborted', 'timed-out']);

/** Whether a run has left this try of its execution behind: it was redriven since, or ended in it. */
function isPast(run: Run, redriveCount: number): boolean {
  return run.redriveCount > redriveCount || (run.redriveCount === redriveCount && ended.has(run.status));
}

/** A run that goes on has not ended: nothing of how an earlier try ended stays on record. */
const notOver = { finishedAt: null, error: null, cause: null } as const;

/** What a try of an execution takes a run up with. */
export interface Resumption {
  readonly redriveCount: number;
  readonly fence: number;
  readonly changes?: RunChanges;
}

/**
 * Notes on a run that a try of its execution goes on with it, under a lease that this try has taken. Undefined, and the lease is
 * given back, when the try is over itself or the run has succeeded. With a newer lease of the same try on record, that one counts.
 */
export async function resumeRun(
  ports: Needed,
  run: Run,
  { redriveCount, fence, changes = {} }: Resumption,
): Promise<Run | undefined> {
  let current: Run | undefined = run;
  for (
    let round = 0;
    current && current.status !== 'succeeded' && !isPast(current, redriveCount);
    round += 1
  ) {
    const isSameTry = current.redriveCount === redriveCount;
    if (isSameTry && current.status === 'running' && current.fence > fence) return current;
    if (round >= rounds) throw new Throttled(`Run ${run.runId} keeps changing; try again.`);
    try {
      return await ports.runs.updateRun(
        run.runId,
        { ...notOver, ...changes, status: 'running', fence, redriveCount },
        { status: [current.status], maxRedriveCount: current.redriveCount, maxFence: fence },
      );
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      current = await ports.runs.getRun(run.runId);
    }
  }
  await ports.leases.release({ tenantId: run.tenantId, holder: run.runId, fence });
  return undefined;
}

/** Takes the lease with a new, larger fence and notes it on the run; undefined when this try of the execution is over. */
export async function takeLease(ports: Needed, run: Run, redriveCount: number): Promise<Run | undefined> {
  if (isPast(run, redriveCount)) return undefined;
  return resumeRun(ports, run, { redriveCount, fence: await acquireLease(ports, run, redriveCount) });
}

/**
 * Does work that needs the fence of the run's lease. When its fence is behind because this very run has taken its lease once more (an
 * invocation that its caller gave up), the lease is taken again and the work done under that; when another run has the lease, the work
 * fails with `StaleFence`.
 */
export async function underOwnLease<T>(
  ports: Needed,
  run: Run,
  redriveCount: number,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  try {
    return await work(run);
  } catch (error) {
    if (!(error instanceof StaleFence)) throw error;
    const lease = await ports.leases.get(run.tenantId);
    if (lease?.holder !== run.runId) throw error;
    const again = await takeLease(ports, run, redriveCount);
    if (!again) throw runIsOver(run);
    return work(again);
  }
}

/**
 * The run as this try of its execution may go on with it: after a redrive, or once it was ended, the lease is taken again.
 * Undefined when the run has left this try behind: whoever asks comes too late and must not touch anything.
 */
export async function leaseOfTry(ports: Needed, run: Run, redriveCount: number): Promise<Run | undefined> {
  const sameTry = run.status === 'running' && run.redriveCount === redriveCount;
  return sameTry ? run : takeLease(ports, run, redriveCount);
}
