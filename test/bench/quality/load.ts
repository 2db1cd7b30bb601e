import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { datasetForm, memoryForm } from '../../../lib/aws/table/records.ts';
import { priceList, priceOf } from '../../../lib/cost/prices.ts';
import type { HistoryEvent } from '../../../lib/ports/workflows.ts';
import { type Baseline, followProfile } from '../../../lib/quality/baseline.ts';
import { relearn } from '../../../lib/quality/datasets/judge.ts';
import type { DatasetMemory } from '../../../lib/quality/datasets/memory.ts';
import type { Profile } from '../../../lib/quality/profile.ts';
import type { QualityMemory } from '../../../lib/quality/verdict.ts';
import { leaveProfiles } from '../../fixtures/dataset-jobs.ts';
import { judgedPartitions, ordersContract } from '../../fixtures/quality-history.ts';
import { type Night, openNight } from '../../night/harness.ts';
import { type JobWork, workOfJobs } from './job-work.ts';
import { tenantHours } from './tenants.ts';

/** Tenants that a check is really run over; what depends on their number is scaled up from them. */
const tried = 120;

/** Shards of the environment prod. */
const shards = 4;

/** What is assumed of AWS, because it is not measured here: seconds of a call within a function, of eight at a time. */
const assumed = {
  secondsOfACall: 0.05,
  atOnce: 8,
  functionGiB: 1,
  /** Of a job: until its container runs, its invocations, and what the table writes of its attempt in units of 1 KB. */
  jobStartSeconds: 15,
  jobInvocations: 4,
  attemptUnits: 18,
  /** Seconds and GiB of the function that lends credentials, once for each tenant of a job. */
  lendingGiBSeconds: 0.3 * 0.25,
  /** Of a vCPU of a job on spot: the instance type of the batch queue that has the least for each. */
  instance: 'c5.2xlarge',
  instanceVcpus: 8,
};

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
  note(verdicts, ['dataset'], (_, found) => {
    calls.tableCalls += 1;
    calls.tableReads += found ? unitsOf(datasetForm.write(found as DatasetMemory), 4_096) : 1;
  });
  note(verdicts, ['rememberDataset'], ([written]) => {
    calls.tableCalls += 1;
    calls.tableWrites += unitsOf(datasetForm.write(written as DatasetMemory), 1_024);
  });
  note(verdicts, ['appendPartitions'], ([written]) => {
    calls.tableCalls += 1;
    for (const entry of written as readonly unknown[]) calls.tableWrites += units(entry, 1_024);
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

const partition = 'date=2026-11-23/hour=23/part-0.csv';

/** A dataset with one partition of an hour that is new. */
async function addDataset({ runtime, jobs, clock }: Night, name: string) {
  const { objects, config } = runtime.ports;
  const location = `s3://${config.dataBucket}/${name}/orders/`;
  const rows = Array.from({ length: 1_000 }, (_, id) => `${id},${id % 3 === 0 ? 'FR' : 'DE'}`);
  await objects.put(`${location}${partition}`, `id,country\n${rows.join('\n')}\n`);
  const now = new Date(clock.now());
  utimesSync(join(jobs.objectsRoot, `${location}${partition}`.slice('s3://'.length)), now, now);
  return { ...ordersContract, location, format: 'csv' as const, watermarkMinutes: 0, minRows: 1 };
}

async function addTenants(night: Night, datasets: boolean): Promise<void> {
  const { objects, tenants, config } = night.runtime.ports;
  const names = Array.from({ length: tried }, (_, index) => `tenant-${index}`);
  await night.add(...names);
  for (const name of names) {
    const tenant = await tenants.get(name);
    const documentsUri = `s3://${config.dataBucket}/${name}/documents/`;
    const dataset = datasets ? { dataset: await addDataset(night, name) } : {};
    if (tenant) await tenants.put({ ...tenant, documentsUri, ...dataset }, tenant.version);
    for (let index = 0; index < 12; index += 1)
      await objects.put(`${documentsUri}${index}.txt`, `Document number ${index} of ${name} says something.`);
  }
}

/** What was learnt of fifteen days of a dataset, the same for all. */
function learntDataset(now: number) {
  const none: ReadonlySet<number> = new Set();
  const history = judgedPartitions(360, { until: now, broken: none, empty: none, missing: none });
  return relearn(history.toReversed(), ordersContract, []);
}

/** Learns enough that memories are as long as they get. */
async function learn(night: Night, datasets: boolean): Promise<void> {
  const { verdicts, clock, config } = night.runtime.ports;
  const ofDataset = datasets ? learntDataset(clock.now() - 86_400_000) : undefined;
  for (let index = 0; index < tried; index += 1) {
    let baseline: Baseline | undefined;
    let last: Profile | undefined;
    for (const { at, profile } of tenantHours(index + 1, { days: 15, noise: 0.06 })) {
      last = profile() ?? last;
      if (last) baseline = followProfile(baseline, last, at).baseline;
    }
    const checkedAt = new Date(clock.now()).toISOString();
    if (ofDataset)
      await verdicts.rememberDataset({
        tenantId: `tenant-${index}`,
        checkedAt,
        location: `s3://${config.dataBucket}/tenant-${index}/orders/`,
        first: null,
        partitions: {},
        baseline: ofDataset,
        excluded: [],
      });
    if (baseline && last)
      await verdicts.remember({ tenantId: `tenant-${index}`, checkedAt, profile: last, baseline });
  }
}

/** One check of new data and one of the same data an hour later: calls a tenant, transitions and jobs a check. */
async function measured({ datasets }: { readonly datasets: boolean }) {
  const night = await openNight({
    schedules: false,
    variables: { EPSILON_RECONCILE_SHARDS: String(shards) },
  });
  try {
    night.jobs.beforeSubmit = async ({ environment, outputUri: output }) =>
      leaveProfiles(night.jobs.objectsRoot, { inputs: environment['EPSILON_INPUTS'] ?? '', output });
    await addTenants(night, datasets);
    await learn(night, datasets);
    await night.advance(3_600_000);
    const calls: Calls = { list: 0, get: 0, put: 0, tableCalls: 0, tableReads: 0, tableWrites: 0 };
    countObjects(night.runtime.ports.objects, calls);
    countTable(night.runtime.ports.verdicts, calls);
    const transitions = await check(night);
    const changed = { ...calls };
    const jobs = night.jobs.specs.length;
    await night.advance(3_600_000);
    await check(night);
    const same = Object.fromEntries(
      Object.entries(calls).map(([kind, all]) => [kind, all - changed[kind as keyof Calls]]),
    ) as unknown as Calls;
    return { transitions, changed, same, jobs };
  } finally {
    await night.runtime.close();
  }
}

/** Tenants whose small datasets share a job. */
const tenantsOfAJob = 50;

/** Dollars a month of processors alone if each dataset had a job of its own every hour, which is what sharing saves. */
function monthlyOfEachAlone({ perJob, perTenant }: JobWork, tenants: number): number {
  const { hoursPerMonth, spotShare, instanceHour } = priceList;
  const vcpuSecond = (priceOf(instanceHour, assumed.instance) * spotShare) / assumed.instanceVcpus / 3_600;
  return tenants * hoursPerMonth * (assumed.jobStartSeconds + perJob + perTenant) * vcpuSecond;
}

/** Dollars a month of jobs that look at a small partition of each of `tenants` datasets in `changedHours` of 24 hours. */
function monthlyOfJobs({ perJob, perTenant }: JobWork, tenants: number, changedHours: number) {
  const { use, hoursPerMonth, spotShare, instanceHour } = priceList;
  const times = (changedHours / 24) * hoursPerMonth;
  const jobs = Math.ceil(tenants / tenantsOfAJob) * times;
  const looks = tenants * times;
  const vcpuSecond = (priceOf(instanceHour, assumed.instance) * spotShare) / assumed.instanceVcpus / 3_600;
  const invocation = use.invocation + assumed.secondsOfACall * assumed.functionGiB * use.functionGiBSecond;
  return {
    // A state of its own, and what it waits for.
    jobTransitions: jobs * 2 * use.transition,
    jobSeconds: (jobs * (assumed.jobStartSeconds + perJob) + looks * perTenant) * vcpuSecond,
    // Its order, two results; a partition for each tenant.
    jobObjects: jobs * (use.objectRead + 2 * use.objectList) + looks * use.objectRead,
    jobFunctions: jobs * assumed.jobInvocations * invocation,
    jobTable: jobs * assumed.attemptUnits * use.tableWrite,
    credentials:
      looks * (use.apiRequest + use.invocation + assumed.lendingGiBSeconds * use.functionGiBSecond),
  };
}

/** Dollars a month of `tenants` whose data changes in `changedHours` of 24 hours, without what jobs do. */
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
  return parts;
}

type Parts = Readonly<Record<string, number>>;

const total = (...all: readonly Parts[]): Parts => {
  const parts: Record<string, number> = {};
  for (const each of all)
    for (const [name, dollars] of Object.entries(each)) parts[name] = (parts[name] ?? 0) + dollars;
  return { ...parts, dollars: Object.values(parts).reduce((sum, each) => sum + each, 0) };
};

/** What an hourly check of `tenants` tenants asks of AWS, and what that costs a month: with documents alone, and with a dataset each. */
export async function benchLoad(tenants: number): Promise<Record<string, unknown>> {
  const documents = await measured({ datasets: false });
  const both = await measured({ datasets: true });
  const work = await workOfJobs();
  const perTenant = (calls: Calls) =>
    Object.fromEntries(Object.entries(calls).map(([kind, all]) => [kind, all / tried]));
  // Transitions of jobs are counted with the jobs.
  const withDatasets = { ...both, transitions: documents.transitions };
  const jobs = Math.ceil(tenants / tenantsOfAJob);
  return {
    tenants,
    shards,
    measuredOver: tried,
    assumed,
    transitionsPerCheck: { documents: documents.transitions, datasets: documents.transitions + 2 * jobs },
    jobsMeasured: { documents: documents.jobs, datasets: both.jobs },
    jobsPerCheckOfNewDatasets: jobs,
    secondsOfProcessor: work,
    callsPerTenant: {
      documents: { changed: perTenant(documents.changed), same: perTenant(documents.same) },
      datasets: { changed: perTenant(both.changed), same: perTenant(both.same) },
    },
    dollarsAMonth: {
      documentsChangeOnceADay: total(monthly(documents, tenants, 1)),
      documentsChangeEveryHour: total(monthly(documents, tenants, 24)),
      datasetsTooOnceADay: total(monthly(withDatasets, tenants, 1), monthlyOfJobs(work, tenants, 1)),
      datasetsTooEveryHour: total(monthly(withDatasets, tenants, 24), monthlyOfJobs(work, tenants, 24)),
      aJobForEachDatasetHour: monthlyOfEachAlone(work, tenants),
    },
  };
}
