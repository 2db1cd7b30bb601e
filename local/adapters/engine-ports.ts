import type { CallbackOutcome, TaskCallbacks } from '../../lib/ports/task-callbacks.ts';
import type { HistoryEvent, MapRun, Workflows } from '../../lib/ports/workflows.ts';
import type { Engine } from '../asl/engine/engine.ts';
import type { MapRunDetail } from '../asl/map/map-run-detail.ts';
import { executionArn } from '../asl/model/names.ts';

/** Events a page of history holds. */
const page = 1_000;

async function answered(call: Promise<void>): Promise<CallbackOutcome> {
  try {
    await call;
    return 'delivered';
  } catch (error) {
    const { name } = error as Error;
    if (name === 'TaskTimedOut' || name === 'InvalidToken') return 'gone';
    throw error;
  }
}

/** Task callbacks into the embedded engine. */
export function engineCallbacks(engine: Engine): TaskCallbacks {
  return {
    succeed: (token, output) => answered(engine.sendTaskSuccess(token, output)),
    fail: (token, failure) => answered(engine.sendTaskFailure(token, failure)),
    heartbeat: (token) => answered(engine.sendTaskHeartbeat(token)),
  };
}

function mapRunOf(run: MapRunDetail): MapRun {
  return {
    mapRunArn: run.arn,
    status: run.status,
    startDate: new Date(run.startDate).toISOString(),
    ...(run.stopDate === undefined ? {} : { stopDate: new Date(run.stopDate).toISOString() }),
    maxConcurrency: run.maxConcurrency,
    toleratedFailureCount: run.toleratedCount,
    toleratedFailurePercentage: run.toleratedPercentage,
    redriveCount: run.redriveCount,
    children: run.itemCounts,
  };
}

/** Executions of the embedded engine. */
export function engineWorkflows(engine: Engine): Workflows {
  const arnOf = (given: string): string => {
    const at = given.startsWith('arn:') ? -1 : given.indexOf('/');
    return at < 0 ? given : executionArn(given.slice(0, at), given.slice(at + 1));
  };
  async function* history(given: string): AsyncGenerator<HistoryEvent> {
    for (let fromId = 1; ; fromId += page) {
      const events = await engine.getExecutionHistory(arnOf(given), { fromId, limit: page });
      yield* events;
      if (events.length < page) return;
    }
  }
  return {
    machines: async () => engine.machines(),
    start: async (request) => engine.startExecution(request),
    describe: (given) => engine.describeExecution(arnOf(given)),
    list: (filter) => engine.listExecutions(filter),
    history,
    redrive: (given) => engine.redriveExecution(arnOf(given)),
    stop: (given, reason) => engine.stopExecution(arnOf(given), reason),
    mapRuns: async (given) => (await engine.listMapRuns(arnOf(given))).map(mapRunOf),
    describeMapRun: async (mapRunArn) => mapRunOf(await engine.describeMapRun(mapRunArn)),
    updateMapRun: (mapRunArn, changes) => engine.updateMapRun(mapRunArn, changes),
  };
}

/** The ports that the embedded engine is. */
export const enginePorts = (engine: Engine) => ({
  callbacks: engineCallbacks(engine),
  workflows: engineWorkflows(engine),
});
