import type { Ports } from '../../ports/ports.ts';
import type { LeaseRenewal } from '../../ports/run-store.ts';
import type { Run } from '../../training/run.ts';

type Needed = Pick<Ports, 'runs' | 'leases' | 'clock' | 'config'>;

function leaseEnd({ clock, config }: Pick<Ports, 'clock' | 'config'>): string {
  return new Date(clock.now() + config.training.leaseSeconds * 1000).toISOString();
}

/** The renewal of a run's lease from now on. */
export function leaseOf(ports: Pick<Ports, 'clock' | 'config'>, run: Run): LeaseRenewal {
  const { tenantId, runId: holder, fence } = run;
  return { tenantId, holder, fence, expiresAt: leaseEnd(ports) };
}

/** Takes the lease with a new, larger fence and notes it on the run. `TenantBusy` when another run holds it. */
export async function takeLease(ports: Needed, run: Run, redriveCount: number): Promise<Run> {
  const { fence } = await ports.leases.acquire({
    tenantId: run.tenantId,
    holder: run.runId,
    now: new Date(ports.clock.now()).toISOString(),
    expiresAt: leaseEnd(ports),
  });
  return ports.runs.updateRun(
    run.runId,
    { status: 'running', fence, redriveCount },
    { maxRedriveCount: redriveCount },
  );
}

/** The run as this try of its execution may go on with it: after a redrive, or once it was ended, the lease is taken again. */
export async function leaseOfTry(ports: Needed, run: Run, redriveCount: number): Promise<Run> {
  const sameTry = run.status === 'running' && run.redriveCount === redriveCount;
  return sameTry ? run : takeLease(ports, run, redriveCount);
}
