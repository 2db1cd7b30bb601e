import { createHash } from 'node:crypto';
import { EpsilonError } from '../../errors/epsilon-error.ts';
import { QualityCheckPending } from '../../errors/run-errors.ts';
import type { Ports } from '../../ports/ports.ts';
import { type ClosedGate, closedGate, type JudgedObjects, judgedObjects } from '../../quality/gate.ts';
import { dataQualityCheck } from '../../quality/machines.ts';
import type { Run } from '../../training/run.ts';

type Needed = Pick<Ports, 'verdicts' | 'workflows' | 'config' | 'clock'>;

/** The check that one try of a run asks for: always the same one, so that a repeated entry finds it. */
function checkOf({ runId, redriveCount }: Run): string {
  return `for-${createHash('sha256').update(`${runId}/${redriveCount}`).digest('hex').slice(0, 40)}`;
}

/** Begins the check unless this try of the run has begun it before; whether it still runs. */
async function looks({ workflows }: Needed, run: Run): Promise<boolean> {
  const machine = dataQualityCheck.key;
  const name = checkOf(run);
  try {
    await workflows.start({ machine, name, input: { trigger: 'manual', tenants: [run.tenantId] } });
    return true;
  } catch (error) {
    if (!(error instanceof EpsilonError && error.code === 'EXECUTION_ALREADY_EXISTS')) throw error;
    return (await workflows.describe(`${machine}/${name}`)).status === 'RUNNING';
  }
}

/** A run's gate: closed, or open for these objects; for any where they are not named. */
export interface Gate {
  readonly closed?: ClosedGate;
  readonly judged?: JudgedObjects;
}

/**
 * The gate of a run's tenant. Where a verdict is required and none is on record, one check of this tenant is begun and
 * `QualityCheckPending` thrown until it is over; the gate stays closed when that made no verdict. A verdict that is too old is not
 * replaced: then the hourly checks have stopped, which people have to know.
 */
export async function gateOf(ports: Needed, run: Run): Promise<Gate> {
  const { tenantId } = run;
  const { verdicts, config, clock } = ports;
  const read = async (): Promise<Gate> => {
    const found = await verdicts.standing(tenantId);
    const closed = closedGate(found, tenantId, config.quality, clock.now());
    if (closed) return { closed };
    const judged = judgedObjects(found, config.quality, clock.now());
    return judged ? { judged } : {};
  };
  const gate = await read();
  if (gate.closed?.unjudged !== 'missing') return gate;
  if (await looks(ports, run))
    throw new QualityCheckPending(tenantId, `${dataQualityCheck.key}/${checkOf(run)}`);
  return read();
}
