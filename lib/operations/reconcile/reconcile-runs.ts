import { inParallel } from '../../concurrency/in-parallel.ts';
import type { Ports } from '../../ports/ports.ts';
import { tenantModelTraining } from '../../training/machines.ts';
import type { Run } from '../../training/run.ts';
import { settleRun } from '../runs/settle-run.ts';
import type { Pass } from './reconcile-attempts.ts';

type Needed = Pick<
  Ports,
  'runs' | 'leases' | 'jobs' | 'workflows' | 'events' | 'notifier' | 'clock' | 'config' | 'log' | 'metrics'
>;

/** Runs that are described one by one; with more the list of running executions is read first. */
const describedOneByOne = 20;

/** Executions that are described side by side. */
const describesAtOnce = 4;

/** More executions than ever run; the list ends where they end. */
const everyExecution = 1_000_000;

/**
 * Runs of the pass that may be over: a run with an open attempt is not among them, because the task token of its
 * attempt shows whether anything still waits.
 */
async function suspects(ports: Needed, { runs, attempts }: Pass): Promise<Run[]> {
  const waitedFor = attempts.filter(({ abandonedAt }) => abandonedAt === undefined);
  const atWork = new Set(waitedFor.map(({ runId }) => runId));
  const quiet = [...runs.values()].filter(({ runId }) => !atWork.has(runId));
  if (quiet.length <= describedOneByOne) return quiet;
  const executions = await ports.workflows.list({
    machine: tenantModelTraining.key,
    status: 'RUNNING',
    limit: everyExecution,
  });
  const running = new Set(executions.map(({ executionArn }) => executionArn));
  return quiet.filter(({ executionArn }) => !running.has(executionArn));
}

/** Ends runs that are on record as running although their execution is over (its status event was lost). Returns how many. */
export async function reconcileRuns(ports: Needed, pass: Pass): Promise<number> {
  let ended = 0;
  await inParallel(await suspects(ports, pass), describesAtOnce, async (run) => {
    if (ports.clock.now() >= pass.until) return;
    try {
      const execution = await ports.workflows.describe(run.executionArn);
      const { status } = execution;
      if (status !== 'FAILED' && status !== 'TIMED_OUT' && status !== 'ABORTED') return;
      if (await settleRun(ports, run, { ...execution, status })) ended += 1;
    } catch (error) {
      ports.metrics.count('ReconcilerFaults', 1);
      ports.log.error('run not reconciled', { runId: run.runId, error: String(error) });
    }
  });
  return ended;
}
