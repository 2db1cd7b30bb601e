import type { Ports } from '../ports/ports.ts';
import { endRun } from './end-run.ts';

/** Ends runs that are on record as running although their execution is over (its status event was lost). Returns how many. */
export async function reconcileRuns(ports: Ports): Promise<number> {
  let ended = 0;
  for (const run of await ports.runs.listRuns({ status: 'running' })) {
    try {
      const execution = await ports.workflows.describe(run.executionArn);
      const { status } = execution;
      if (status !== 'FAILED' && status !== 'TIMED_OUT' && status !== 'ABORTED') continue;
      if (await endRun(ports, run, { ...execution, status })) ended += 1;
    } catch (error) {
      ports.log.error('run not reconciled', { runId: run.runId, error: String(error) });
    }
  }
  return ended;
}
