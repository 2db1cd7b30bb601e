import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from 'aws-lambda';
import { handler as checkShard } from '../../../functions/quality/check-shard.ts';
import { handler as judgeShard } from '../../../functions/quality/judge-shard.ts';
import { handler as openQualityCheck } from '../../../functions/quality/open-quality-check.ts';
import { handler as profileShard } from '../../../functions/quality/profile-shard.ts';
import { handler as recordVerdicts } from '../../../functions/quality/record-verdicts.ts';
import { handler as weighQualityCheck } from '../../../functions/quality/weigh-quality-check.ts';
import { handler as beginRun } from '../../../functions/training/begin-run.ts';
import { handler as completeJob } from '../../../functions/training/complete-job.ts';
import { handler as finishRun } from '../../../functions/training/finish-run.ts';
import { handler as loadTenants } from '../../../functions/training/load-tenants.ts';
import { handler as promoteModel } from '../../../functions/training/promote-model.ts';
import { handler as settleRun } from '../../../functions/training/settle-run.ts';
import { handler as submitStage } from '../../../functions/training/submit-stage.ts';
import type { Ports } from '../../../lib/ports/ports.ts';

const training = { beginRun, completeJob, finishRun, loadTenants, promoteModel, settleRun, submitStage };
const quality = { checkShard, judgeShard, openQualityCheck, profileShard, recordVerdicts, weighQualityCheck };
const handlers = { ...training, ...quality };

/** One call of a function, and what came of it. */
export interface Invocation {
  readonly name: string;
  readonly input: unknown;
  readonly output?: unknown;
  readonly error?: string;
}

async function invoke(ports: Ports, name: string, input: unknown): Promise<Invocation> {
  const handler = handlers[name as keyof typeof handlers];
  const context = {
    awsRequestId: name,
    getRemainingTimeInMillis: () => 60_000,
  } as Context;
  try {
    return { name, input, output: await handler.withPorts(ports)(input, context) };
  } catch (error) {
    const { name: errorType, message: errorMessage } = error as Error;
    return { name, input, output: { errorType, errorMessage }, error: `${errorType}: ${errorMessage}` };
  }
}

/** Lambda's endpoint for invocations, with Epsilon's own handlers behind it. */
export async function serveFunctions(
  ports: Ports,
): Promise<{ readonly url: string; readonly calls: Invocation[]; readonly server: Server }> {
  const calls: Invocation[] = [];
  const server = createServer((request, response) => {
    const name = /\/functions\/epsilon-dev-(\w+)\/invocations/.exec(request.url ?? '')?.[1] ?? '';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const called = await invoke(ports, name, JSON.parse(Buffer.concat(chunks).toString()));
      calls.push(called);
      response.writeHead(200, {
        'content-type': 'application/json',
        ...(called.error === undefined ? {} : { 'x-amz-function-error': 'Unhandled' }),
      });
      response.end(JSON.stringify(called.output ?? null));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, calls, server };
}
