import { readFileSync } from 'node:fs';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { openMemoryStores } from '../dynamodb/memory-stores.ts';
import { aModel, anAttempt, aRelease, aRun, aTenant } from '../fixtures/records.ts';

/**
 * Run in the checkout of either version: `write` puts a record of each kind into the table as that version does and prints its calls;
 * `read` makes the calls of the other version, given on standard input, and prints what this version reads of them.
 */
const writing = /^(Put|Update|Delete)Item$|^TransactWriteItems$/;
const at = Date.parse('2026-11-24T03:00:00Z');
const stores = openMemoryStores({ clock: new VirtualClock(at) });
const { tenantId, runId } = aRun();

async function write(): Promise<void> {
  await stores.tenants.put(aTenant(), 0);
  await stores.leases.acquire({
    tenantId,
    holder: runId,
    now: new Date(at).toISOString(),
    expiresAt: new Date(at + 60_000).toISOString(),
  });
  await stores.runs.createRun(aRun());
  await stores.runs.createAttempt(anAttempt({ stage: 'train' }));
  await stores.models.register(aModel());
  await stores.models.promote({
    tenantId,
    modelVersion: aModel().modelVersion,
    fence: 1,
    at: new Date(at).toISOString(),
    reason: 'run',
  });
  await stores.verdicts.record({
    tenantId,
    verdict: 'passed',
    findings: [],
    checkedAt: new Date(at).toISOString(),
    since: new Date(at).toISOString(),
  });
  await stores.releases.put(aRelease(), 0);
}

async function read(): Promise<object> {
  const calls = JSON.parse(readFileSync(0, 'utf8')) as { action: string; input: object }[];
  for (const { action, input } of calls) {
    const answer = stores.dynamo.respond({
      headers: { 'x-amz-target': `DynamoDB_20120810.${action}` },
      body: new TextEncoder().encode(JSON.stringify(input)),
    } as never);
    if (answer.statusCode !== 200) throw new Error(`${action}: ${new TextDecoder().decode(answer.body)}`);
  }
  const { releaseId } = aRelease();
  return {
    tenant: await stores.tenants.get(tenantId),
    lease: await stores.leases.get(tenantId),
    run: await stores.runs.getRun(runId),
    attempts: await stores.runs.listAttempts(runId),
    live: await stores.models.live(tenantId),
    models: await stores.models.list(tenantId),
    verdict: await stores.verdicts.standing(tenantId),
    release: await stores.releases.get(releaseId),
  };
}

if (process.argv[2] === 'write') {
  await write();
  const calls = stores.dynamo.calls.filter(({ action }) => writing.test(action));
  process.stdout.write(JSON.stringify(calls));
} else process.stdout.write(JSON.stringify(await read()));
