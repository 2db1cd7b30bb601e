import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** An execution of the played Step Functions. */
export interface PlayedExecution {
  readonly executionArn: string;
  readonly does: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  redrives: number;
  /** Milliseconds since 1970 before which it does not end by itself. */
  endsFrom: number;
  error?: string;
  cause?: string;
}

type Request = Readonly<Record<string, string>>;

class Refused extends Error {}

/**
 * Milliseconds that an execution runs at least. Airflow loses a deferral that ends sooner than its scheduler, on a busy host, has heard that the
 * task was deferred.
 */
const shortest = 8_000;

interface Message {
  readonly body: string;
  visibleAt: number;
}

/** One queue: a message that was received is hidden for as long as was asked, and goes when it is deleted. */
function playQueue() {
  const messages = new Map<string, Message>();
  let [sent, receiving, mostReceiving, receives] = [0, 0, 0, 0];
  const visible = () => [...messages].find(([, { visibleAt }]) => visibleAt <= Date.now());
  async function receive({ WaitTimeSeconds: wait = '0', VisibilityTimeout: hidden = '30' }: Request) {
    receiving += 1;
    receives += 1;
    mostReceiving = Math.max(mostReceiving, receiving);
    const until = Date.now() + Number(wait) * 1_000;
    while (visible() === undefined && Date.now() < until) await pause(50);
    receiving -= 1;
    const found = visible();
    if (!found) return {};
    const [id, message] = found;
    message.visibleAt = Date.now() + Number(hidden) * 1_000;
    const MD5OfBody = createHash('md5').update(message.body).digest('hex');
    return { Messages: [{ MessageId: id, ReceiptHandle: id, Body: message.body, MD5OfBody }] };
  }
  return {
    put: (body: string) => {
      sent += 1;
      messages.set(`m-${sent}`, { body, visibleAt: 0 });
    },
    /** Bodies that nobody has deleted. */
    left: () => [...messages.values()].map(({ body }) => body),
    facts: () => ({ mostReceiving, receives }),
    answer: async (action: string, request: Request): Promise<object> => {
      if (action === 'ReceiveMessage') return receive(request);
      if (action === 'DeleteMessage') messages.delete(request['ReceiptHandle'] ?? '');
      return {};
    },
  };
}

/**
 * Step Functions, as far as the provider asks it: an execution with `does` = "succeeds" ends after some seconds, "fails-once"
 * fails until it is redriven, "waits" runs until somebody ends it. And SQS with one queue, of the ends of executions.
 */
export async function playStepFunctions() {
  const executions = new Map<string, PlayedExecution>();
  const calls: { readonly action: string; readonly request: Request }[] = [];
  const queue = playQueue();
  const end = (execution: PlayedExecution, status: PlayedExecution['status']) => {
    execution.status = status;
    queue.put(
      JSON.stringify({ source: 'aws.states', detail: { executionArn: execution.executionArn, status } }),
    );
  };
  const find = ({ executionArn = '' }: Request): PlayedExecution => {
    const found = executions.get(executionArn);
    if (!found) throw new Refused('ExecutionDoesNotExist');
    return found;
  };
  const actions: Readonly<Record<string, (request: Request) => unknown>> = {
    StartExecution: ({ stateMachineArn = '', name = '', input = '{}' }) => {
      const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:').replace(/:live$/, '')}:${name}`;
      if (executions.has(executionArn)) throw new Refused('ExecutionAlreadyExists');
      const { does = 'waits' } = JSON.parse(input) as { readonly does?: string };
      executions.set(executionArn, {
        executionArn,
        does,
        status: 'RUNNING',
        redrives: 0,
        endsFrom: Date.now() + shortest,
      });
      return { executionArn, startDate: Date.now() / 1_000 };
    },
    DescribeExecution: (request) => {
      const found = find(request);
      const may = found.status === 'RUNNING' && Date.now() >= found.endsFrom;
      if (may && found.does === 'succeeds') found.status = 'SUCCEEDED';
      if (may && found.does === 'fails-once') {
        found.status = found.redrives > 0 ? 'SUCCEEDED' : 'FAILED';
        if (found.status === 'FAILED') Object.assign(found, { error: 'JobFailed', cause: 'exited with 1' });
      }
      const output = found.status === 'SUCCEEDED' ? { output: '{"outcome":"succeeded"}' } : {};
      return { ...found, ...output, startDate: 0, stateMachineArn: 'arn' };
    },
    StopExecution: (request) => {
      const found = find(request);
      if (found.status === 'RUNNING') {
        Object.assign(found, { error: request['error'], cause: request['cause'] });
        end(found, 'ABORTED');
      }
      return { stopDate: Date.now() / 1_000 };
    },
    RedriveExecution: (request) => {
      const found = find(request);
      if (found.status === 'RUNNING' || found.status === 'SUCCEEDED')
        throw new Refused('ExecutionNotRedrivable');
      found.redrives += 1;
      found.status = 'RUNNING';
      found.endsFrom = Date.now() + shortest;
      return { redriveDate: Date.now() / 1_000 };
    },
  };
  const server = createServer((request, response) => {
    const [service, action = ''] = String(request.headers['x-amz-target']).split('.');
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const asked = JSON.parse(Buffer.concat(chunks).toString()) as Request;
      if (service === 'AmazonSQS') {
        response.setHeader('content-type', 'application/x-amz-json-1.0');
        response.end(JSON.stringify(await queue.answer(action, asked)));
        return;
      }
      if (action !== 'DescribeExecution') calls.push({ action, request: asked });
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      try {
        response.end(JSON.stringify(actions[action]?.(asked) ?? {}));
      } catch (error) {
        response.statusCode = 400;
        response.end(JSON.stringify({ __type: (error as Error).message, message: 'refused' }));
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    executions,
    calls,
    queue,
    end,
    close: () => server.close(),
  };
}
