import { checkSchema } from '../../lib/errors/check-schema.ts';
import { findMachine } from '../../lib/machines/catalogue.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionDetail } from '../../lib/ports/workflows.ts';
import { nightDate, nightInputSchema } from '../../lib/training/nights/night-input.ts';
import type { StartOptions, StartRequest } from '../start-input.ts';

const fieldOf = (input: unknown, name: string): unknown =>
  typeof input === 'object' && input !== null ? (input as Record<string, unknown>)[name] : undefined;

/** Most open executions of a machine that are looked through. */
const mostOpen = 1_000;

/** The open night of a date: a second one would find every tenant busy. */
async function openNight(
  { workflows }: Pick<OperatorApi, 'workflows'>,
  machine: string,
  date: string,
): Promise<ExecutionDetail | undefined> {
  for (const { executionArn } of await workflows.list({ machine, status: 'RUNNING', limit: mostOpen })) {
    const execution = await workflows.describe(executionArn);
    const input = checkSchema(nightInputSchema, execution.input);
    if (execution.status !== 'RUNNING' || !input.success) continue;
    if (nightDate(input.data, Date.parse(execution.startDate)) === date) return execution;
  }
  return undefined;
}

/**
 * The open execution that does the work already, by whomever it was started: a night of the same date, or one that trains the tenant, behind
 * which a second one would only wait. Undefined when there is none, when the new one was given a name of its own, or when it is for another
 * date. `now`: milliseconds, which say what date a night is for that names none.
 */
export async function openExecution(
  control: Pick<OperatorApi, 'workflows' | 'runs'>,
  machine: string,
  start: Pick<StartRequest, 'input'>,
  { name: given }: Pick<StartOptions, 'name'>,
  now: number,
): Promise<ExecutionDetail | undefined> {
  if (given !== undefined) return undefined;
  const { tenantId, logicalDate } = start.input;
  const outcome = findMachine(machine)?.outcome;
  if (outcome === 'night') {
    const night = checkSchema(nightInputSchema, start.input);
    return night.success ? openNight(control, machine, nightDate(night.data, now)) : undefined;
  }
  if (outcome !== 'run' || typeof tenantId !== 'string') return undefined;
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
