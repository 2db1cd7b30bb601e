import { engineCallbacks, engineWorkflows } from '../../../local/adapters/engine-ports.ts';
import { describeTaskCallbacks } from '../../contract/task-callbacks.ts';
import { describeWorkflows } from '../../contract/workflows.ts';
import { machine, makeBench, waitForToken } from '../asl/harness.ts';

describeTaskCallbacks('the embedded engine', async () => {
  const bench = makeBench({ functions: { submit: () => ({}) } });
  bench.engine.registerMachine({
    name: 'm',
    definition: machine({
      T: waitForToken('submit', { TimeoutSeconds: 900, HeartbeatSeconds: 300, End: true }),
    }),
  });
  const executions = new Map<string, string>();
  return {
    callbacks: engineCallbacks(bench.engine),
    token: async () => {
      const { executionArn } = await bench.engine.startExecution({ machine: 'm', input: {} });
      await bench.clock.advance(0);
      const { token } = (bench.calls.at(-1)?.payload ?? {}) as { token: string };
      executions.set(token, executionArn);
      return token;
    },
    ended: (token) => bench.until(executions.get(token) ?? ''),
  };
});

describeWorkflows('the embedded engine', async () => {
  const bench = makeBench();
  bench.engine.registerMachine({ name: 'passes', definition: machine({ P: { Type: 'Pass', End: true } }) });
  bench.engine.registerMachine({
    name: 'fails',
    definition: machine({ F: { Type: 'Fail', Error: 'Own', Cause: 'why' } }),
  });
  bench.engine.registerMachine({
    name: 'waits',
    definition: machine({ W: { Type: 'Wait', Seconds: 900, End: true } }),
  });
  return {
    workflows: engineWorkflows(bench.engine),
    ended: async (arn) => {
      await bench.until(arn);
    },
  };
});
