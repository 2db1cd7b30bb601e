import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An execution of the played Step Functions. */
export interface PlayedExecution {
  readonly executionArn: string;
  readonly does: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  redrives: number;
  error?: string;
  cause?: string;
}

type Request = Readonly<Record<string, string>>;

class Refused extends Error {}

/**
 * Step Functions, as far as the provider asks it: an execution with `does` = "succeeds" has ended when it is next looked at, "fails-once"
 * fails until it is redriven, "waits" runs until somebody ends it.
 */
export async function playStepFunctions() {
  const executions = new Map<string, PlayedExecution>();
  const calls: { readonly action: string; readonly request: Request }[] = [];
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
      executions.set(executionArn, { executionArn, does, status: 'RUNNING', redrives: 0 });
      return { executionArn, startDate: Date.now() / 1_000 };
    },
    DescribeExecution: (request) => {
      const found = find(request);
      if (found.status === 'RUNNING' && found.does === 'succeeds') found.status = 'SUCCEEDED';
      if (found.status === 'RUNNING' && found.does === 'fails-once') {
        found.status = found.redrives > 0 ? 'SUCCEEDED' : 'FAILED';
        if (found.status === 'FAILED') Object.assign(found, { error: 'JobFailed', cause: 'exited with 1' });
      }
      const output = found.status === 'SUCCEEDED' ? { output: '{"outcome":"succeeded"}' } : {};
      return { ...found, ...output, startDate: 0, stateMachineArn: 'arn' };
    },
    StopExecution: (request) => {
      const found = find(request);
      if (found.status === 'RUNNING')
        Object.assign(found, { status: 'ABORTED', error: request['error'], cause: request['cause'] });
      return { stopDate: Date.now() / 1_000 };
    },
    RedriveExecution: (request) => {
      const found = find(request);
      if (found.status === 'RUNNING' || found.status === 'SUCCEEDED')
        throw new Refused('ExecutionNotRedrivable');
      found.redrives += 1;
      found.status = 'RUNNING';
      return { redriveDate: Date.now() / 1_000 };
    },
  };
  const server = createServer((request, response) => {
    const action = String(request.headers['x-amz-target']).replace('AWSStepFunctions.', '');
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const asked = JSON.parse(Buffer.concat(chunks).toString()) as Request;
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
    close: () => server.close(),
  };
}
