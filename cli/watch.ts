import type { ControlPlane } from '../lib/ports/control-plane.ts';
import type { ExecutionDetail } from '../lib/ports/workflows.ts';
import type { Run } from '../lib/training/run.ts';
import { Progress, type RunView, viewsOf } from './progress.ts';
import { checkSignal, pause, type Session } from './session.ts';

/** Milliseconds between looks. */
const interval = 200;

/** Runs that an execution is about: its tenants' for a night, its own for a tenant's. */
async function runsOf(control: ControlPlane, execution: ExecutionDetail): Promise<Run[]> {
  if (execution.machine === 'nightly-training') {
    const all = await control.runs.listRuns({ nightArn: execution.executionArn });
    // A redriven night has several runs of a tenant: the newest speaks.
    return [...new Map([...all].reverse().map((run) => [run.tenantId, run])).values()];
  }
  const run = await control.runs.getRun(execution.name);
  return run ? [run] : [];
}

/** Waits for the end of an execution with live progress; Ctrl-C ends the waiting, not the work. */
export async function watch(
  session: Session,
  control: ControlPlane,
  executionArn: string,
): Promise<{ readonly execution: ExecutionDetail; readonly views: RunView[] }> {
  const progress = new Progress(session.output);
  const began = session.clock.now();
  for (;;) {
    const execution = await control.workflows.describe(executionArn);
    const views = await viewsOf(control, await runsOf(control, execution));
    const now = session.clock.now();
    progress.show(views, now - began, now);
    if (execution.status !== 'RUNNING') return { execution, views };
    checkSignal(session, `the same command, or "epsilon start", goes on with ${execution.name}.`);
    await pause(session, interval);
  }
}

/** States entered by an execution: what AWS bills as transitions. */
export async function transitionsOf(control: ControlPlane, executionArn: string): Promise<number> {
  let count = 0;
  for await (const event of control.workflows.history(executionArn))
    if (event.type.endsWith('StateEntered')) count += 1;
  return count;
}
