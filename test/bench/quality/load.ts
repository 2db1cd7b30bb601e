import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { priceList } from '../../../lib/cost/prices.ts';
import type { HistoryEvent } from '../../../lib/ports/workflows.ts';
import { freshDir } from '../../local/asl/harness.ts';
import { type Night, openNight } from '../../night/harness.ts';

/** Tenants that a check is really run over; what depends on their number is scaled up from them. */
const tried = 120;

/** Shards of the environment prod. */
const shards = 4;

/** What is assumed of AWS, because it is not measured here: seconds of a call within a function, of eight at a time. */
const assumed = { secondsOfACall: 0.05, atOnce: 8, functionGiB: 1, readKB: 8, writeKB: 10 };

interface Calls {
  list: number;
  get: number;
  put: number;
  tableReads: number;
  tableWrites: number;
}

/** Counts calls of a port's methods in place. */
function count(port: object, methods: Readonly<Record<string, keyof Calls>>, calls: Calls): void {
  const own = port as Record<string, (...args: unknown[]) => unknown>;
  for (const [method, kind] of Object.entries(methods)) {
    const before = own[method]?.bind(port);
    own[method] = (...args) => {
      calls[kind] += 1;
      return before?.(...args);
    };
  }
}

async function check(night: Night): Promise<number> {
  const { workflows } = night.runtime.ports;
  const input = { trigger: 'manual' };
  const { executionArn } = await workflows.start({ machine: 'data-quality-check', input });
  const { status, cause } = await night.until(executionArn);
  if (status !== 'SUCCEEDED') throw new Error(`the check is ${status}: ${cause}`);
  const events: HistoryEvent[] = await Array.fromAsync(workflows.history(executionArn));
  return events.filter(({ type }) => type.endsWith('StateEntered')).length;
}

function documents(): string {
  const folder = join(freshDir(), 'documents');
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < 12; index += 1)
    writeFileSync(join(folder, `${index}.txt`), `Document number ${index} says something.`);
  return folder;
}

/** One check of new data and one of the same data an hour later: calls a tenant, transitions and jobs a check. */
async function measured() {
  const night = await openNight({
    schedules: false,
    variables: { EPSILON_RECONCILE_SHARDS: String(shards) },
  });
  try {
    const folder = documents();
    const { tenants, objects, verdicts } = night.runtime.ports;
    for (let index = 0; index < tried; index += 1) {
      const tenantId = `tenant-${index}`;
      await night.add(tenantId);
      const tenant = await tenants.get(tenantId);
      if (tenant) await tenants.put({ ...tenant, documentsUri: `file://${folder}/` }, tenant.version);
    }
    const calls: Calls = { list: 0, get: 0, put: 0, tableReads: 0, tableWrites: 0 };
    count(objects, { list: 'list', get: 'get', stream: 'get', put: 'put' }, calls);
    count(verdicts, { standing: 'tableReads', memory: 'tableReads' }, calls);
    count(verdicts, { record: 'tableWrites', remember: 'tableWrites', append: 'tableWrites' }, calls);
    const transitions = await check(night);
    const changed = { ...calls };
    await night.advance(3_600_000);
    await check(night);
    const same = Object.fromEntries(
      Object.entries(calls).map(([kind, all]) => [kind, all - changed[kind as keyof Calls]]),
    ) as unknown as Calls;
    return { transitions, changed, same, jobs: night.jobs.specs.length };
  } finally {
    await night.runtime.close();
  }
}

/** Dollars a month of `tenants` whose data changes in `changedHours` of 24 hours. */
function monthly(
  { transitions, changed, same }: Awaited<ReturnType<typeof measured>>,
  tenants: number,
  changedHours: number,
) {
  const { use, hoursPerMonth } = priceList;
  const a = (kind: keyof Calls) =>
    ((changed[kind] * changedHours + same[kind] * (24 - changedHours)) / 24 / tried) *
    tenants *
    hoursPerMonth;
  // The documents of a local folder are one list and twelve reads; on AWS a list of up to 1,000 names is one call, too.
  const calls = a('list') + a('get') + a('put') + a('tableReads') + a('tableWrites');
  const seconds = (calls * assumed.secondsOfACall) / assumed.atOnce;
  const parts = {
    transitions: transitions * hoursPerMonth * use.transition,
    lists: (a('list') + a('put')) * use.objectList,
    reads: a('get') * use.objectRead,
    table:
      a('tableReads') * (assumed.readKB / 4) * use.tableRead +
      a('tableWrites') * assumed.writeKB * use.tableWrite,
    functions: seconds * assumed.functionGiB * use.functionGiBSecond,
  };
  return { ...parts, dollars: Object.values(parts).reduce((sum, each) => sum + each, 0) };
}

/** What an hourly check of `tenants` tenants asks of AWS, and what that costs a month. */
export async function benchLoad(tenants: number): Promise<Record<string, unknown>> {
  const found = await measured();
  const perTenant = (calls: Calls) =>
    Object.fromEntries(Object.entries(calls).map(([kind, all]) => [kind, all / tried]));
  return {
    tenants,
    shards,
    measuredOver: tried,
    assumed,
    transitionsPerCheck: found.transitions,
    jobsPerCheck: found.jobs,
    callsPerTenant: { changed: perTenant(found.changed), same: perTenant(found.same) },
    dollarsAMonth: {
      dataChangesOnceADay: monthly(found, tenants, 1),
      dataChangesEveryHour: monthly(found, tenants, 24),
    },
  };
}
