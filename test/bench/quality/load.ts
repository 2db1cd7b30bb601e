import { memoryForm } from '../../../lib/aws/table/records.ts';
import { priceList } from '../../../lib/cost/prices.ts';
import type { HistoryEvent } from '../../../lib/ports/workflows.ts';
import { type Baseline, followProfile } from '../../../lib/quality/baseline.ts';
import type { Profile } from '../../../lib/quality/profile.ts';
import type { QualityMemory } from '../../../lib/quality/verdict.ts';
import { type Night, openNight } from '../../night/harness.ts';
import { tenantHours } from './tenants.ts';

/** Tenants that a check is really run over; what depends on their number is scaled up from them. */
const tried = 120;

/** Shards of the environment prod. */
const shards = 4;

/** What is assumed of AWS, because it is not measured here: seconds of a call within a function, of eight at a time. */
const assumed = { secondsOfACall: 0.05, atOnce: 8, functionGiB: 1 };

interface Calls {
  list: number;
  get: number;
  put: number;
  tableCalls: number;
  /** Units of 4 KB that are read, and of 1 KB that are written. */
  tableReads: number;
  tableWrites: number;
}

const units = (value: unknown, size: number) =>
  Math.max(1, Math.ceil(Buffer.byteLength(JSON.stringify(value) ?? '') / size));

/** Units of a record as the table stores it. */
const unitsOf = (record: object, size: number) =>
  Math.max(
    1,
    Math.ceil(
      Object.entries(record).reduce(
        (sum, [name, value]) =>
          sum + name.length + (value instanceof Uint8Array ? value.length : Buffer.byteLength(String(value))),
        0,
      ) / size,
    ),
  );

type Methods = Record<string, (...args: unknown[]) => unknown>;

/** Does something more with each call of some of a port's methods, in place. */
function note(
  port: object,
  methods: readonly string[],
  noted: (args: unknown[], result: unknown) => void,
): void {
  const own = port as Methods;
  for (const method of methods) {
    const before = own[method]?.bind(port);
    own[method] = (...args) => {
      const result = before?.(...args);
      if (result instanceof Promise) void result.then((value) => noted(args, value)).catch(() => {});
      else noted(args, undefined);
      return result;
    };
  }
}

function countObjects(objects: object, calls: Calls): void {
  const kinds = { list: ['list'], get: ['get', 'stream', 'head'], put: ['put'] } as const;
  for (const [kind, methods] of Object.entries(kinds))
    note(objects, methods, () => {
      calls[kind as 'list'] += 1;
    });
}

function countTable(verdicts: object, calls: Calls): void {
  note(verdicts, ['standing'], () => {
    calls.tableCalls += 1;
    // The verdict and the operator's decision, each with its own unit.
    calls.tableReads += 2;
  });
  note(verdicts, ['memory'], (_, found) => {
    calls.tableCalls += 1;
    calls.tableReads += found ? unitsOf(memoryForm.write(found as QualityMemory), 4_096) : 1;
  });
  note(verdicts, ['remember'], ([written]) => {
    calls.tableCalls += 1;
    calls.tableWrites += unitsOf(memoryForm.write(written as QualityMemory), 1_024);
  });
  note(verdicts, ['record', 'append'], ([written]) => {
    calls.tableCalls += 1;
    calls.tableWrites += units(written, 1_024);
  });
}

async function check(night: Night): Promise<number> {
  const { workflows } = night.runtime.ports;
  // The documents are far fewer than what was learnt: all gates would close at once, and are let.
  const input = { trigger: 'manual', incident: 'close' };
  const { executionArn } = await workflows.start({ machine: 'data-quality-check', input });
  const { status, cause } = await night.until(executionArn);
  if (status !== 'SUCCEEDED') throw new Error(`the check is ${status}: ${cause}`);
  const events: HistoryEvent[] = await Array.fromAsync(workflows.history(executionArn));
  return events.filter(({ type }) => type.endsWith('StateEntered')).length;
}

async function addTenants(night: Night): Promise<void> {
  const { objects, tenants, config } = night.runtime.ports;
  const names = Array.from({ length: tried }, (_, index) => `tenant-${index}`);
  await night.add(...names);
  for (const name of names) {
    const tenant = await tenants.get(name);
    const documentsUri = `s3://${config.dataBucket}/${name}/documents/`;
    if (tenant) await tenants.put({ ...tenant, documentsUri }, tenant.version);
    for (let index = 0; index < 12; index += 1)
      await objects.put(`${documentsUri}${index}.txt`, `Document number ${index} of ${name} says something.`);
  }
}

/** Learns enough that memories are as long as they get. */
async function learn(night: Night): Promise<void> {
  const { verdicts, clock } = night.runtime.ports;
  for (let index = 0; index < tried; index += 1) {
    let baseline: Baseline | undefined;
    let last: Profile | undefined;
    for (const { at, profile } of tenantHours(index + 1, { days: 15, noise: 0.06 })) {
      last = profile() ?? last;
      if (last) baseline = followProfile(baseline, last, at).baseline;
    }
    const checkedAt = new Date(clock.now()).toISOString();
    if (baseline && last)
      await verdicts.remember({ tenantId: `tenant-${index}`, checkedAt, profile: last, baseline });
  }
}

/** One check of new data and one of the same data an hour later: calls a tenant, transitions and jobs a check. */
async function measured() {
  const night = await openNight({
    schedules: false,
    variables: { EPSILON_RECONCILE_SHARDS: String(shards) },
  });
  try {
    await addTenants(night);
    await learn(night);
    await night.advance(3_600_000);
    const calls: Calls = { list: 0, get: 0, put: 0, tableCalls: 0, tableReads: 0, tableWrites: 0 };
    countObjects(night.runtime.ports.objects, calls);
    countTable(night.runtime.ports.verdicts, calls);
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
  const calls = a('list') + a('get') + a('put') + a('tableCalls');
  const seconds = (calls * assumed.secondsOfACall) / assumed.atOnce;
  const parts = {
    transitions: transitions * hoursPerMonth * use.transition,
    lists: (a('list') + a('put')) * use.objectList,
    reads: a('get') * use.objectRead,
    table: a('tableReads') * use.tableRead + a('tableWrites') * use.tableWrite,
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
