import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { freePort } from '../../free-port.ts';
import type { Case } from './cases.ts';
import { answering, jsonataOf, type Outcome } from './interpreters.ts';

/** An emulator of the service in a throw-away Python environment, on a loopback port. */
export class MiniStack {
  readonly #client: SFNClient;
  readonly #queues: SQSClient;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    const local = {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    this.#client = new SFNClient(local);
    this.#queues = new SQSClient(local);
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
        // Pauses of Retry and Wait take no time.
        SFN_WAIT_SCALE: '0',
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

  async #create(name: string, definition: unknown): Promise<string> {
    const { stateMachineArn = '' } = await this.#client.send(
      new CreateStateMachineCommand({
        name,
        definition: JSON.stringify(definition),
        roleArn: 'arn:aws:iam::000000000000:role/test',
      }),
    );
    return stateMachineArn;
  }

  /** Answers the tokens that wait in the queue. */
  async #answer(queueUrl: string, answerOf: ReturnType<typeof answering>): Promise<void> {
    const { Messages: messages = [] } = await this.#queues.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }),
    );
    for (const { Body: body = '{}' } of messages) {
      const { question, token: taskToken } = JSON.parse(body) as { question: string; token: string };
      const answer = answerOf(question);
      if (answer === 'silence') continue;
      if ('throws' in answer)
        await this.#client.send(
          new SendTaskFailureCommand({ taskToken, error: answer.throws, cause: 'told' }),
        );
      else
        await this.#client.send(
          new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(answer.returns) }),
        );
    }
  }

  async #outcome(executionArn: string): Promise<Outcome | undefined> {
    const found = await this.#client.send(new DescribeExecutionCommand({ executionArn }));
    if (found.status === 'RUNNING') return undefined;
    const { events } = await this.#client.send(
      new GetExecutionHistoryCommand({ executionArn, maxResults: 1_000 }),
    );
    return {
      status: found.status ?? '',
      ...(found.output === undefined ? {} : { output: JSON.parse(found.output) as unknown }),
      ...(found.error === undefined ? {} : { error: found.error }),
      path: (events ?? []).flatMap((event) => event.stateEnteredEventDetails?.name ?? []),
    };
  }

  async run(one: Case, number: number): Promise<Outcome> {
    const { QueueUrl: queueUrl = '' } = await this.#queues.send(
      new CreateQueueCommand({ QueueName: `case-${number}` }),
    );
    const machines = new Map<string, string>();
    const place = { queueUrl, machineArn: (name: string) => machines.get(name) ?? name };
    for (const [name, states] of Object.entries(one.children ?? {}))
      machines.set(name, await this.#create(`case-${number}-${name}`, jsonataOf(states, {}, place)));
    const stateMachineArn = await this.#create(`case-${number}`, jsonataOf(one.states, one.more, place));
    const { executionArn = '' } = await this.#client.send(
      new StartExecutionCommand({ stateMachineArn, name: 'run', input: JSON.stringify(one.input ?? {}) }),
    );
    const answerOf = answering(one.answers);
    for (let tries = 0; tries < 200; tries += 1) {
      if (one.answers) await this.#answer(queueUrl, answerOf);
      const outcome = await this.#outcome(executionArn);
      if (outcome) return outcome;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { status: 'RUNNING', path: [] };
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}
