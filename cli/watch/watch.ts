import { checkSchema } from '../../lib/errors/check-schema.ts';
import { findMachine } from '../../lib/machines/catalogue.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionDetail } from '../../lib/ports/workflows.ts';
import { nightDate, nightInputSchema } from '../../lib/training/nights/night-input.ts';
import type { Run } from '../../lib/training/run.ts';
import { checkSignal, command, lookInterval, pause, type Session } from '../session.ts';
import { lastWords } from './last-words.ts';
import { Progress } from './progress.ts';
import { RetryPlan } from './retry-plan.ts';
import { type RunView, Views } from './run-views.ts';

/** The date a night is for: stores find its runs by it. */
export function dateOf({ input, startDate }: ExecutionDetail): { logicalDate?: string } {
  const parsed = checkSchema(nightInputSchema, input);
  if (!parsed.success) return {};
  try {
    return { logicalDate: nightDate(parsed.data, Date.parse(startDate)) };
  } catch {
    // A night that was started with no date of the calendar has no runs; its own failure says why.
    return {};
  }
}

/** One run of each tenant of a night, of runs with the newest first: a redriven night has several, and the newest speaks. */
export function newestRuns(all: readonly Run[]): Run[] {
  return [...new Map([...all].reverse().map((run) => [run.tenantId, run])).values()];
}

/** Runs that show how an execution goes, as the catalogue says of its machine. */
async function runsOf(control: OperatorApi, execution: ExecutionDetail): Promise<Run[]> {
  const outcome = findMachine(execution.machine)?.outcome;
  if (outcome === 'night') {
    const all = await control.runs.listRuns({ nightArn: execution.executionArn, ...dateOf(execution) });
    return newestRuns(all);
  }
  const run = outcome === 'run' ? await control.runs.getRun(execution.name) : undefined;
  return run ? [run] : [];
}

/**
 * The runs of an execution that are shown while it runs, since `began` (milliseconds since the Unix epoch): without those that failed
 * before a redrive, which has not taken them up yet.
 */
export function runsUnderWay(
  { redriveCount }: ExecutionDetail,
  runs: readonly Run[],
  began: number,
): readonly Run[] {
  const isOver = ({ status }: Run) => status !== 'running' && status !== 'succeeded';
  if (redriveCount === 0) return runs;
  return runs.filter((run) => !isOver(run) || !(Date.parse(run.finishedAt ?? '') < began));
}

/** What was seen of an execution until its end. */
export interface Watched {
  readonly execution: ExecutionDetail;
  readonly views: readonly RunView[];
  /** Whether the failure that a run ended with has been shown. */
  readonly told: (runId: string) => boolean;
}

/**
 * Waits for the end of an execution with live progress; Ctrl-C ends the waiting, not the work. `retryScale` is the
 * factor on pauses that this command's own control plane was given.
 */
export async function watch(
  session: Session,
  control: OperatorApi,
  executionArn: string,
  retryScale = 1,
): Promise<Watched> {
  const began = session.clock.now();
  const progress = new Progress({
    output: session.output,
    plan: new RetryPlan(session.projectDir, retryScale),
    lastWords: (attempt) => lastWords(control, attempt),
    began,
  });
  const looks = new Views(control);
  for (;;) {
    checkSignal(session, goesOn(session, executionArn));
    const execution = await control.workflows.describe(executionArn);
    const now = session.clock.now();
    const isOver = execution.status !== 'RUNNING' && execution.status !== 'PENDING_REDRIVE';
    const runs = await runsOf(control, execution);
    const views = await looks.of(isOver ? runs : runsUnderWay(execution, runs, began), now);
    await progress.show(views, now);
    if (isOver) return { execution, views, told: (runId) => progress.told(runId) };
    await pause(session, lookInterval(session));
  }
}

/** What becomes of an execution that is not watched any more. */
function goesOn(session: Session, executionArn: string): string {
  const [machine = '', name = ''] = executionArn.split(':').slice(-2);
  if (session.target.kind === 'local')
    return `the same command, or "${command(session, 'start')}", goes on with ${name}.`;
  const found = machine.replace(`epsilon-${session.target.environment}-`, '');
  return `${name} goes on without being watched; see it with: ${command(session, `describe ${found}/${name}`)}`;
}

/** States entered by an execution: what AWS bills as transitions. */
export async function transitionsOf(control: OperatorApi, executionArn: string): Promise<number> {
  let count = 0;
  for await (const event of control.workflows.history(executionArn))
    if (event.type.endsWith('StateEntered')) count += 1;
  return count;
}
