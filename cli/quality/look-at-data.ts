import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionDetail } from '../../lib/ports/workflows.ts';
import { closedGate } from '../../lib/quality/gate.ts';
import { dataQualityCheck } from '../../lib/quality/machines.ts';
import { plain } from '../output.ts';
import { checkSignal, command, lookInterval, pause, type Session } from '../session.ts';

/** Has the data of named tenants looked at, or that of all, and waits for the end of the check. */
export async function lookAtData(
  session: Session,
  control: OperatorApi,
  tenants: readonly string[] = [],
): Promise<ExecutionDetail> {
  const { executionArn } = await control.workflows.start({
    machine: dataQualityCheck.key,
    input: { ...dataQualityCheck.manual, ...(tenants.length === 0 ? {} : { tenants }) },
  });
  for (;;) {
    const execution = await control.workflows.describe(executionArn);
    if (execution.status !== 'RUNNING') return execution;
    const shown = command(session, `describe ${dataQualityCheck.key}/${execution.name}`);
    checkSignal(session, `the check goes on by itself; see "${shown}".`);
    await pause(session, lookInterval(session));
  }
}

/** The check of every hour, before the night; one that fails leaves the gates as they are. */
export async function closeGates(session: Session, control: OperatorApi): Promise<void> {
  await lookAtData(session, control);
  if (session.output.json) return;
  for (const { tenantId } of await control.tenants.list()) {
    const standing = await control.quality.standing(tenantId);
    const closed = closedGate(standing, tenantId, control.config.quality, session.clock.now());
    if (closed)
      session.output.write(`  the quality gate of ${tenantId} is closed: ${plain(closed.because)}\n`);
  }
}
