import { StateMachine } from 'aws-local-stepfunctions';
import { makeBench } from '../../local/asl/harness.ts';
import { walk } from '../../statemachines/machine-test.ts';
import type { Answers, Case } from './cases.ts';

/** What is compared. */
export interface Outcome {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: string;
  readonly path: readonly string[];
}

type Tree = Record<string, unknown>;

/** Turns a state with one of the suite's own fields (`call`, `ask`, `start`) into a Task, everywhere in a definition. */
function withTasks(value: unknown, taskOf: (field: string, state: Tree) => Tree): unknown {
  if (Array.isArray(value)) return value.map((each) => withTasks(each, taskOf));
  if (typeof value !== 'object' || value === null) return value;
  const made: Tree = {};
  let task: Tree | undefined;
  for (const [key, each] of Object.entries(value as Tree)) {
    if (['call', 'ask', 'start'].includes(key)) task = taskOf(key, value as Tree);
    else made[key] = withTasks(each, taskOf);
  }
  return task ? { Type: 'Task', ...task, ...made } : made;
}

/** Names that a definition needs where it runs. */
export interface Place {
  readonly queueUrl: string;
  readonly machineArn: (name: string) => string;
}

const nowhere: Place = { queueUrl: 'queue', machineArn: (name) => name };

/** States as a JSONata definition. */
export function jsonataOf(states: Case['states'], more: Tree = {}, place = nowhere): Tree {
  const tasks: Record<string, (state: Tree) => Tree> = {
    call: () => ({
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: { FunctionName: 'f', Payload: {} },
      Output: '{% $states.result.Payload %}',
    }),
    ask: ({ ask }) => ({
      Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
      Arguments: {
        QueueUrl: place.queueUrl,
        MessageBody: { question: ask, token: '{% $states.context.Task.Token %}' },
      },
    }),
    start: ({ start }) => ({
      Resource: 'arn:aws:states:::states:startExecution.sync:2',
      Arguments: { StateMachineArn: place.machineArn(String(start)), Input: '{% $states.input %}' },
      Output: '{% $states.result.Output %}',
    }),
  };
  return {
    QueryLanguage: 'JSONata',
    StartAt: Object.keys(states)[0],
    ...more,
    States: withTasks(states, (field, state) => tasks[field]?.(state) ?? {}),
  };
}

/** Answers by question, one after the other; the last one stays. */
export function answering(answers: Answers = {}): (question: string) => Answers[string][number] {
  const asked: Record<string, number> = {};
  return (question) => {
    const mine = answers[question] ?? [];
    const at = Math.min(asked[question] ?? 0, mine.length - 1);
    asked[question] = at + 1;
    return mine[at] ?? 'silence';
  };
}

/** This engine, where tokens are answered or machines start machines. */
async function runWithCallbacks(one: Case): Promise<Outcome> {
  const answerOf = answering(one.answers);
  const bench = makeBench({
    integrations: {
      sqsSendMessage: async (request) => {
        const { question, token } = (request as { MessageBody: { question: string; token: string } })
          .MessageBody;
        const answer = answerOf(question);
        // After the send itself is on record, as with a queue.
        setImmediate(() => {
          if (answer === 'silence') return;
          if ('throws' in answer)
            void bench.engine.sendTaskFailure(token, { error: answer.throws, cause: 'told' });
          else void bench.engine.sendTaskSuccess(token, answer.returns);
        });
        return { MessageId: 'm' };
      },
    },
  });
  for (const [name, states] of Object.entries(one.children ?? {}))
    bench.engine.registerMachine({ name, definition: jsonataOf(states) });
  const done = await bench.run(jsonataOf(one.states, one.more), one.input ?? {});
  const history = await bench.engine.getExecutionHistory(done.executionArn, { limit: 1_000 });
  return {
    status: done.status,
    ...(done.output === undefined ? {} : { output: done.output }),
    ...(done.error === undefined ? {} : { error: done.error }),
    path: history.flatMap(
      (event) => (event['stateEnteredEventDetails'] as { name: string } | undefined)?.name ?? [],
    ),
  };
}

/** This engine. */
export async function runHere(one: Case): Promise<Outcome> {
  if (one.answers || one.children) return runWithCallbacks(one);
  const answers = Object.fromEntries(
    Object.entries(one.calls ?? {}).map(([state, calls]) => [
      state,
      calls.map((call) =>
        'throws' in call ? { ...call, cause: 'mocked' } : { returns: { Payload: call.returns } },
      ),
    ]),
  );
  const { status, output, error, path } = await walk(
    jsonataOf(one.states, one.more),
    one.input ?? {},
    answers,
  );
  return {
    status,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    path,
  };
}

/** npm's aws-local-stepfunctions: JSONPath dialect, so only what both share. */
export async function runLocalStepFunctions(one: Case): Promise<Outcome> {
  const calls: Record<string, number> = {};
  const handlers = Object.fromEntries(
    Object.entries(one.calls ?? {}).map(([state, answers]) => [
      state,
      async () => {
        const answer = answers[Math.min(calls[state] ?? 0, answers.length - 1)];
        calls[state] = (calls[state] ?? 0) + 1;
        if (answer && 'throws' in answer) throw Object.assign(new Error('mocked'), { name: answer.throws });
        return answer?.returns;
      },
    ]),
  );
  const definition = {
    StartAt: Object.keys(one.states)[0],
    ...one.more,
    States: withTasks(one.states, () => ({ Resource: 'arn:aws:lambda:us-east-1:123456789012:function:f' })),
  };
  const machine = new StateMachine(definition as never);
  const waits = Object.fromEntries(Object.keys(handlers).map((state) => [state, 0]));
  const run = machine.run((one.input ?? {}) as never, {
    overrides: { taskResourceLocalHandlers: handlers as never, retryIntervalOverrides: waits as never },
  });
  const path: string[] = [];
  let failed = '';
  const listening = (async () => {
    for await (const event of run.eventLogs) {
      if (event.type === 'StateEntered') path.push(event.state.name);
      // The promise's own error hides the name; the last event tells it.
      if (event.type === 'ExecutionFailed') failed = event.Error;
    }
  })();
  try {
    const output = (await run.result) as unknown;
    await listening;
    return { status: 'SUCCEEDED', output, path };
  } catch {
    await listening.catch(() => {});
    return { status: 'FAILED', error: failed, path };
  }
}
