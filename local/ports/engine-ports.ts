import type { CallbackOutcome, TaskCallbacks } from '../../lib/ports/services.ts';
import type { HistoryEvent, Workflows } from '../../lib/ports/workflows.ts';
import type { Engine } from '../asl/engine.ts';

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

/** Executions of the embedded engine. */
export function engineWorkflows(engine: Engine): Workflows {
  async function* history(executionArn: string): AsyncGenerator<HistoryEvent> {
    for (let fromId = 1; ; fromId += page) {
      const events = await engine.getExecutionHistory(executionArn, { fromId, limit: page });
      yield* events;
      if (events.length < page) return;
    }
  }
  return {
    machines: async () => engine.machines(),
    start: async (request) => engine.startExecution(request),
    describe: (arn) => engine.describeExecution(arn),
    list: (filter) => engine.listExecutions(filter),
    history,
    redrive: (arn) => engine.redriveExecution(arn),
    stop: (arn, reason) => engine.stopExecution(arn, reason),
  };
}
