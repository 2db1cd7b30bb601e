import { findMachine } from '../../lib/machines/catalogue.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionDetail } from '../../lib/ports/workflows.ts';
import type { StartOptions, StartRequest } from '../start-input.ts';

const fieldOf = (input: unknown, name: string): unknown =>
  typeof input === 'object' && input !== null ? (input as Record<string, unknown>)[name] : undefined;

/** Most open executions of a machine that are looked through. */
const mostOpen = 1_000;

/**
 * The open execution that trains a tenant already, by whomever it was started: a second one would only wait until the first is
 * over. Undefined when there is none, when the new one was given a name of its own, or when it is for another date.
 */
export async function openExecution(
  control: Pick<OperatorApi, 'workflows' | 'runs'>,
  machine: string,
  start: StartRequest,
  options: StartOptions,
): Promise<ExecutionDetail | undefined> {
  const { tenantId, logicalDate } = start.input;
  const isRun = findMachine(machine)?.outcome === 'run';
  if (!isRun || typeof tenantId !== 'string' || options.name !== undefined) return undefined;
  const open = await control.workflows.list({ machine, status: 'RUNNING', limit: mostOpen });
  // Executions are named after their tenant, by the night and by this command; one may not have begun its run yet.
  for (const { executionArn, name } of open.filter((one) => one.name.startsWith(`${tenantId}-`))) {
    const execution = await control.workflows.describe(executionArn);
    if (execution.status !== 'RUNNING' || fieldOf(execution.input, 'tenantId') !== tenantId) continue;
    if (logicalDate === undefined) return execution;
    const date = (await control.runs.getRun(name))?.logicalDate ?? fieldOf(execution.input, 'logicalDate');
    if (date === logicalDate) return execution;
  }
  return undefined;
}
