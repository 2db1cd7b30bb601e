import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { findMachine } from '../../machines/catalogue.ts';
import { checkMachineInput } from '../../machines/check-input.ts';
import type { MapRunChanges, StartRequest, StopReason } from '../../ports/operator-api.ts';
import type { Ports } from '../../ports/ports.ts';
import { findActiveTenant } from '../tenants/find-tenant.ts';

type Needed = Pick<Ports, 'workflows' | 'tenants' | 'clock'>;

/**
 * Starts an execution. Nothing is started of a tenant that does not exist or is suspended, or with an input that the machine
 * would refuse. Errors: `INPUT_INVALID`, `DATE_OUT_OF_RANGE`, `TENANT_NOT_FOUND`, `TENANT_SUSPENDED`, and those of the workflows.
 */
export async function startExecution(
  ports: Needed,
  request: StartRequest,
): Promise<{ readonly executionArn: string }> {
  const known = findMachine(request.machine);
  if (known) checkMachineInput(known, request.input, ports.clock.now());
  const { tenantId } = (request.input ?? {}) as { readonly tenantId?: unknown };
  if (tenantId !== undefined) await findActiveTenant(ports, String(tenantId));
  return ports.workflows.start(request);
}

/** Continues a failed execution from where it failed. Errors: `EXECUTION_NOT_FOUND`, `REDRIVE_NOT_ALLOWED`. */
export function redriveExecution(
  { workflows }: Pick<Needed, 'workflows'>,
  executionArn: string,
): Promise<void> {
  return workflows.redrive(executionArn);
}

/** Stops an execution; its jobs are cancelled when the event of its end arrives. `EXECUTION_NOT_FOUND`, `EXECUTION_NOT_RUNNING`. */
export async function stopExecution(
  { workflows }: Pick<Needed, 'workflows'>,
  executionArn: string,
  reason: StopReason,
): Promise<void> {
  const { name, status } = await workflows.describe(executionArn);
  if (status !== 'RUNNING' && status !== 'PENDING_REDRIVE')
    throw new EpsilonError(
      'EXECUTION_NOT_RUNNING',
      `Execution "${name}" ended ${status} before; there is nothing to stop.`,
      { exitCode: exitCodes.conflict, details: { status } },
    );
  await workflows.stop(executionArn, reason);
}

/** Widens or narrows a map run that is running. Errors: `INPUT_INVALID`, `MAP_RUN_NOT_FOUND`, `MAP_RUN_NOT_RUNNING`. */
export async function updateMapRun(
  { workflows }: Pick<Needed, 'workflows'>,
  mapRunArn: string,
  changes: MapRunChanges,
): Promise<void> {
  if (Object.keys(changes).length === 0)
    throw new EpsilonError(
      'INPUT_INVALID',
      `Nothing of map run ${mapRunArn} is to be changed; name a setting.`,
    );
  await workflows.updateMapRun(mapRunArn, changes);
}
