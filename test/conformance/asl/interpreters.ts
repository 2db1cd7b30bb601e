import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { StateMachine } from 'aws-local-stepfunctions';
import { walk } from '../../statemachines/machine-test.ts';
import type { Case } from './cases.ts';

/** What is compared. */
export interface Outcome {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: string;
  readonly path: readonly string[];
}

type Tree = Record<string, unknown>;

/** Turns `{"call": ...}` into a Task of a dialect, everywhere in a definition. */
function withTasks(value: unknown, task: Tree): unknown {
  if (Array.isArray(value)) return value.map((each) => withTasks(each, task));
  if (typeof value !== 'object' || value === null) return value;
  const { call, ...rest } = value as Tree;
  const made = Object.fromEntries(Object.entries(rest).map(([key, each]) => [key, withTasks(each, task)]));
  return call === undefined ? made : { Type: 'Task', ...task, ...made };
}

/** The case as a JSONata definition. */
export function jsonataOf(one: Case): Tree {
  const task = {
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: 'f', Payload: {} },
    Output: '{% $states.result.Payload %}',
  };
  return {
    QueryLanguage: 'JSONata',
    StartAt: Object.keys(one.states)[0],
    ...one.more,
    States: withTasks(one.states, task),
  };
}

/** This engine. */
export async function runHere(one: Case): Promise<Outcome> {
  const answers = Object.fromEntries(
    Object.entries(one.calls ?? {}).map(([state, calls]) => [
      state,
      calls.map((call) =>
        'throws' in call ? { ...call, cause: 'mocked' } : { returns: { Payload: call.returns } },
      ),
    ]),
  );
  const { status, output, error, path } = await walk(jsonataOf(one), one.input ?? {}, answers);
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
    States: withTasks(one.states, { Resource: 'arn:aws:lambda:us-east-1:123456789012:function:f' }),
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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** An emulator of the service in a throw-away Python environment, on a loopback port. */
export class MiniStack {
  readonly client: SFNClient;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.client = new SFNClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
  }

  /** Installs and starts it; undefined, with the reason, where Python or the package cannot be had. */
  static async start(): Promise<MiniStack | { readonly missing: string }> {
    const folder = mkdtempSync(join(tmpdir(), 'epsilon-ministack-'));
    try {
      execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' });
      execFileSync(join(folder, 'bin', 'pip'), ['install', '--quiet', 'ministack'], {
        stdio: 'pipe',
        timeout: 300_000,
      });
    } catch (error) {
      return {
        missing: `ministack could not be installed: ${
          String((error as { stderr?: Buffer }).stderr ?? error)
            .split('\n')
            .at(-2) ?? ''
        }`,
      };
    }
    const bin = join(folder, 'bin', 'ministack');
    if (!existsSync(bin)) return { missing: 'ministack has no command' };
    const port = await freePort();
    const child = spawn(bin, [], {
      stdio: 'ignore',
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        GATEWAY_PORT: String(port),
        MINISTACK_HOST: '127.0.0.1',
      },
    });
    for (let tries = 0; tries < 150; tries += 1) {
      const up = await fetch(`http://127.0.0.1:${port}/_ministack/health`)
        .then((response) => response.status < 500)
        .catch(() => false);
      if (up) return new MiniStack(child, port);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    child.kill('SIGKILL');
    return { missing: 'ministack did not answer within 30 seconds' };
  }

  async run(one: Case, number: number): Promise<Outcome> {
    const { stateMachineArn } = await this.client.send(
      new CreateStateMachineCommand({
        name: `case-${number}`,
        definition: JSON.stringify(jsonataOf(one)),
        roleArn: 'arn:aws:iam::000000000000:role/test',
      }),
    );
    const { executionArn } = await this.client.send(
      new StartExecutionCommand({ stateMachineArn, name: 'run', input: JSON.stringify(one.input ?? {}) }),
    );
    for (let tries = 0; tries < 200; tries += 1) {
      const found = await this.client.send(new DescribeExecutionCommand({ executionArn }));
      if (found.status !== 'RUNNING') {
        const { events } = await this.client.send(
          new GetExecutionHistoryCommand({ executionArn, maxResults: 1_000 }),
        );
        const path = (events ?? []).flatMap((event) => event.stateEnteredEventDetails?.name ?? []);
        return {
          status: found.status ?? '',
          ...(found.output === undefined ? {} : { output: JSON.parse(found.output) as unknown }),
          ...(found.error === undefined ? {} : { error: found.error }),
          path,
        };
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { status: 'RUNNING', path: [] };
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}
