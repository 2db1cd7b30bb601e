import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EpsilonError, exitCodes } from '../../../lib/errors/epsilon-error.ts';
import { QualityGateClosed, TenantBusy, Throttled } from '../../../lib/errors/run-errors.ts';
import { NotFound } from '../../../lib/errors/store-errors.ts';
import { defineHandler } from '../../../lib/handler/define-handler.ts';
import { testPorts } from '../../fixtures/ports.ts';

const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 1000 } as Context;

/** Names of what one invocation counted. */
async function counted(event: unknown, action: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = [];
  const handler = defineHandler({
    name: 'made',
    input: z.object({ run: z.string() }),
    aws: [],
    create: () => action,
  });
  const ports = testPorts({ metrics: { count: (name) => void names.push(name), duration: () => {} } });
  await handler
    .withPorts(ports)(event, context)
    .catch(() => {});
  return names;
}

describe('a fault of Epsilon', () => {
  it.each([
    ['a bug', new TypeError('x is not a function')],
    ['a call that is refused for good', new EpsilonError('ACCESS', 'no', { exitCode: exitCodes.backend })],
  ])('%s does', async (_, error) => {
    expect(await counted({ run: 'a' }, () => Promise.reject(error))).toContain('HandlerFaults');
  });

  it('an event of an unknown form does', async () => {
    expect(await counted({}, async () => 1)).toContain('HandlerFaults');
  });

  it.each([
    ['a busy tenant', new TenantBusy('acme', 'other')],
    ['a closed gate', new QualityGateClosed('acme', 'no verdict')],
    ['being asked to slow down', new Throttled('slow')],
    ['a tenant that is not there', new NotFound('TENANT_NOT_FOUND', 'There is no tenant.')],
  ])('%s is an outcome', async (_, error) => {
    const names = await counted({ run: 'a' }, () => Promise.reject(error));
    expect(names).toContain('HandlerErrors');
    expect(names).not.toContain('HandlerFaults');
  });
});
