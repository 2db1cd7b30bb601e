import { describe, expect, it } from 'vitest';
import { contractSchema } from '../../../../lib/quality/datasets/contract.ts';
import { type Due, profileJobs } from '../../../../lib/quality/datasets/jobs.ts';
import {
  type DatasetState,
  isUnlooked,
  judgeAnomalies,
  judgeCompleteness,
  judgeFreshness,
  relearn,
} from '../../../../lib/quality/datasets/judge.ts';
import type { DatasetMemory, PartitionEntry } from '../../../../lib/quality/datasets/memory.ts';
import { duePartitions, listedAfter, listingOf } from '../../../../lib/quality/datasets/plan.ts';
import { datasetProfileSchema } from '../../../../lib/quality/datasets/profile.ts';

const hour = 3_600_000;
const begin = Date.parse('2026-11-01T00:00:00Z');
const nameOf = (index: number) => new Date(begin + index * hour).toISOString().slice(0, 13);

const contract = contractSchema.parse({
  location: 's3://data/acme/orders/',
  format: 'parquet',
  partitioning: 'hour',
  fields: [
    { name: 'amount', type: 'number' },
    { name: 'country', type: 'string', category: true },
  ],
});

interface Hour {
  readonly rows?: number;
  readonly nulls?: number;
  readonly french?: number;
  readonly lateHours?: number;
  readonly digest?: string;
}

/** One look at the partition of an hour, with people's day in it. */
function found(index: number, { rows, nulls, french, digest = 'd' }: Hour = {}) {
  const usual = 10_000 + 4_000 * Math.sin((index / 24) * 2 * Math.PI) + 150 * Math.sin(index * 78.233);
  const count = rows ?? Math.round(usual);
  const share = french ?? 0.3 + 0.004 * Math.sin(index * 12.9);
  const profile = datasetProfileSchema.parse({
    files: 1,
    bytes: count * 100,
    newestArrival: null,
    unreadable: [],
    unfinished: 0,
    rows: count,
    broken: 0,
    duplicates: 0,
    fields: [
      {
        name: 'amount',
        missing: false,
        nulls: nulls ?? Math.round(count * 0.001),
        typeErrors: 0,
        mean: 20 + Math.sin(index * 3.7),
        quantiles: [1, 18, 60],
      },
    ],
    categories: { country: { DE: Math.round(count * (1 - share)), FR: Math.round(count * share) } },
    newestEvent: new Date(begin + (index + 1) * hour - 1).toISOString(),
    partitions: {},
    sampled: false,
  });
  return { name: nameOf(index), digest, profile };
}

/** The state an hour after the partition's end: everything before it is there. */
function stateOf(memory: DatasetMemory | undefined, index: number, own: Hour = {}): DatasetState {
  const arrived = new Date(begin + (index + 1 + (own.lateHours ?? 0.1)) * hour).toISOString();
  const names = [...Object.keys(memory?.partitions ?? {}), nameOf(index)];
  return {
    tenantId: 'acme',
    checkedAt: new Date(begin + (index + 2) * hour).toISOString(),
    look: {
      contract,
      asked: [nameOf(index)],
      partitions: Object.fromEntries(names.map((name) => [name, { digest: 'd', newestArrival: arrived }])),
    },
    memory,
    found: { tenantId: 'acme', partitions: [found(index, own)] },
  };
}

/** So many hours, one after another; what each left. */
function follow(hours: number, own: (index: number) => Hour = () => ({})) {
  let memory: DatasetMemory | undefined;
  const entries: PartitionEntry[] = [];
  const warned: number[] = [];
  for (let index = 0; index < hours; index += 1) {
    const judged = judgeAnomalies(stateOf(memory, index, own(index)));
    ({ memory } = judged);
    entries.push(...judged.entries);
    if (judged.entries.some(({ findings }) => findings.length > 0)) warned.push(index);
  }
  if (!memory) throw new Error('nothing was followed');
  return { memory, entries, warned };
}

const past = follow(20 * 24);
const next = 20 * 24;
const codes = (own: Hour) =>
  judgeAnomalies(stateOf(past.memory, next, own)).entries.flatMap(({ findings }) =>
    findings.map(({ code, severity }) => `${code} ${severity}`),
  );

describe('an hour of a dataset', () => {
  it('like the others is told nothing of, in 20 days', () => {
    expect(past.warned).toEqual([]);
    expect(codes({})).toEqual([]);
  });

  it.each([
    [{ rows: 3_000 }, 'UNUSUAL_ROWS critical'],
    [{ nulls: 3_000 }, 'UNUSUAL_NULLS critical'],
    [{ nulls: 90 }, 'UNUSUAL_NULLS warning'],
    [{ french: 0.6 }, 'UNUSUAL_MIX warning'],
    [{ lateHours: 5 }, 'UNUSUAL_LATENESS warning'],
  ])('with %j is found: %s', (own, code) => {
    expect(codes(own)).toContain(code);
  });

  it('says what was expected of it, in one sentence', () => {
    const { entries } = judgeAnomalies(stateOf(past.memory, next, { rows: 3_000 }));
    expect(entries[0]?.findings.find(({ code }) => code === 'UNUSUAL_ROWS')?.sentence).toMatch(
      /^3,000 rows in 2026-11-21T00, expected [89],\d{3} to 1[01],\d{3} for a Saturday 00:00, from 480 partitions of 20 days$/,
    );
  });

  it('keeps the gate closed while it is there, and not once it is replaced', () => {
    const broken = judgeAnomalies(stateOf(past.memory, next, { rows: 3_000 }));
    const later = judgeAnomalies(stateOf(broken.memory, next + 1));
    expect(later.findings.map(({ code }) => code)).toContain('UNUSUAL_ROWS');
    const again = judgeAnomalies({
      ...stateOf(later.memory, next, {}),
      checkedAt: '2026-11-21T04:00:00.000Z',
    });
    expect(again.findings).toEqual([]);
    expect(again.relearn).toBe(true);
  });

  it('is judged by a number that is new, constant or without any value once that has a past of its own', () => {
    const withField = (name: string) => ({
      ...contract,
      fields: [...contract.fields, { name, type: 'number' as const }],
    });
    const judgedWith = (name: string, values: (index: number) => number | null) => {
      let { memory } = past;
      const told: string[] = [];
      for (let index = next; index < next + 60; index += 1) {
        const state = stateOf(memory, index);
        const [own] = state.found?.partitions ?? [];
        const mean = values(index);
        own?.profile.fields.push({
          name,
          missing: false,
          nulls: mean === null ? own.profile.rows : 0,
          typeErrors: 0,
          mean,
          quantiles: mean === null ? null : [mean, mean, mean],
        });
        const look = { ...state.look, contract: { ...withField(name), maxNulls: 1 } };
        const judged = judgeAnomalies({ ...state, look });
        ({ memory } = judged);
        for (const { findings } of judged.entries)
          told.push(...findings.map(({ code }) => `${index - next} ${code}`));
      }
      return told;
    };
    expect(judgedWith('new', (index) => 5 + Math.sin(index * 7.7))).toEqual([]);
    expect(judgedWith('constant', () => 5)).toEqual([]);
    expect(judgedWith('never', () => null)).toEqual([]);
    // Unlike everything it ever was: too early to be judged, and then not.
    expect(judgedWith('early', (index) => (index === next + 5 ? 5_000 : 5))).toEqual([]);
    expect(judgedWith('late', (index) => (index === next + 50 ? 5_000 : 5))).toEqual(
      expect.arrayContaining(['50 UNUSUAL_MEAN', '50 UNUSUAL_MEDIAN', '50 UNUSUAL_HIGH']),
    );
  });

  it('of a level that stays is told when it begins, and not for weeks', () => {
    const { warned } = follow(20 * 24, (index) =>
      index < 14 * 24 ? {} : { rows: Math.round(found(index).profile.rows * 1.4) },
    );
    expect(warned[0]).toBe(14 * 24);
    expect(warned.length).toBeLessThan(8);
  });

  it('that was excluded teaches nothing, and what was learnt again is as if it had never been', () => {
    const excluded = [{ from: `${nameOf(100)}:00:00.000Z`, to: `${nameOf(130)}:00:00.000Z` }];
    const { entries } = follow(200, (index) => (index >= 100 && index < 130 ? { rows: 100 } : {}));
    const without = entries.filter(
      ({ at }) => at < (excluded[0]?.from ?? '') || at >= (excluded[0]?.to ?? ''),
    );
    expect(relearn(entries, contract, excluded)).toEqual(relearn(without, contract, []));
    expect(relearn(entries, contract, [])).not.toEqual(relearn(without, contract, []));
  });
});

describe('a dataset', () => {
  it('without a new partition has nothing to put on record, unless something is forgotten', () => {
    const { found: _, ...unasked } = stateOf(past.memory, next - 1);
    const quiet = { ...unasked, found: undefined, look: { ...unasked.look, asked: [] } };
    const judged = judgeAnomalies(quiet);
    expect(judged).toMatchObject({ same: true, entries: [] });
    expect(judged.memory).toEqual({ ...past.memory, checkedAt: quiet.checkedAt });
    expect(judgeAnomalies(stateOf(past.memory, next)).same).toBe(false);
    // Three days on, no partition is looked back to any more.
    const later = { ...quiet, checkedAt: new Date(Date.parse(quiet.checkedAt) + 72 * hour).toISOString() };
    expect(judgeAnomalies(later).same).toBe(false);
    expect(judgeAnomalies({ ...quiet, memory: undefined }).same).toBe(false);
  });

  it('that was never there, or is not there any more, is critical', () => {
    const empty = { ...stateOf(undefined, 0), found: undefined };
    const look = { contract, partitions: {}, asked: [] };
    expect(judgeCompleteness({ ...empty, look }).map(({ code }) => code)).toEqual(['DATASET_EMPTY']);
    const gone = judgeCompleteness({ ...stateOf(past.memory, next), found: undefined, look });
    expect(gone.map(({ sentence }) => sentence)).toEqual([
      expect.stringMatching(/^47 partitions are missing/),
    ]);
  });

  it('that no job looked at, although one should have, is unjudged', () => {
    const state = stateOf(past.memory, next);
    expect(isUnlooked(state)).toBe(false);
    expect(isUnlooked({ ...state, found: undefined })).toBe(true);
    const fault = { code: 'X', message: 'no' };
    expect(isUnlooked({ ...state, found: { tenantId: 'acme', partitions: [], fault } })).toBe(true);
  });

  it('is as fresh as its newest row or file, and clocks that are wrong are told', () => {
    const stale = { ...contract, maxAgeHours: 1 };
    const state = stateOf(past.memory, next);
    const at = (checkedAt: string) =>
      judgeFreshness({ ...state, checkedAt, look: { ...state.look, contract: stale } }).map(
        ({ code }) => code,
      );
    expect(at('2026-11-21T01:30:00.000Z')).toEqual([]);
    expect(at('2026-11-21T04:30:00.000Z')).toEqual(['STALE']);
    expect(at('2026-11-20T00:00:00.000Z')).toEqual(['TIME_IN_FUTURE']);
  });
});

describe('the plan of a look', () => {
  const file = (name: string, size = 1) => ({
    uri: `s3://data/acme/orders/${name}`,
    path: name,
    size,
    modifiedAt: begin,
  });
  const path = (index: number) =>
    `date=${nameOf(index).slice(0, 10)}/hour=${nameOf(index).slice(11)}/a.parquet`;
  const now = begin + 100 * hour;
  const due = (listing: ReturnType<typeof listingOf>, memory?: Partial<DatasetMemory>) =>
    duePartitions(listing, { memory: memory && { ...past.memory, ...memory }, contract, now });

  it('has what is new or changed and complete, as far back as checks look', () => {
    const listing = listingOf(
      contract,
      [10, 60, 61, 98, 99].map((index) => file(path(index))),
    );
    // 98 ends at 99 and is awaited until 100; 10 is older than two days.
    expect(due(listing)).toEqual([nameOf(60), nameOf(61), nameOf(98)]);
    const { digest = '' } = listing.partitions[nameOf(60)] ?? {};
    const known = { digest, rows: 1, newestEvent: null, findings: [] };
    expect(due(listing, { partitions: { [nameOf(60)]: known } })).toEqual([nameOf(61), nameOf(98)]);
    expect(
      due(listing, { partitions: {}, backfill: { from: `${nameOf(0)}:00:00Z`, to: '2026-11-01T12:00:00Z' } }),
    ).toContain(nameOf(10));
  });

  it('counts files that are being written, and leaves out what belongs to no partition', () => {
    const listing = listingOf(contract, [file('readme.txt'), file(`${path(60)}.tmp`), file(path(60))]);
    expect(listing.unfinished).toBe(1);
    expect(Object.keys(listing.partitions)).toEqual([nameOf(60)]);
    expect(listedAfter(contract, { backfill: undefined, now })).toBe('date=2026-11-03');
  });

  const dataset = (tenantId: string, backend: Due['backend'], size: number): Due => ({
    backend,
    dataset: { tenantId, contract, partitions: [{ name: 'x', digest: 'd', files: [file(path(1), size)] }] },
  });
  const documents = (tenantId: string, bytes: number): Due => ({
    backend: 'batch',
    documents: {
      tenantId,
      documentsUri: `s3://data/${tenantId}/documents/`,
      reading: {},
      listing: { digest: '0'.repeat(64), files: 1, bytes, newestArrival: null },
      at: '2026-11-24T02:00:00.000Z',
    },
  });
  const jobsOf = (due: readonly Due[], check = 'quality/one/0') =>
    profileJobs(due, { check, maxBytes: 1_000, image: 'image' });

  it('puts what is small of a backend into one job, and gives what is large and pods their own', () => {
    const jobs = jobsOf([
      dataset('a', 'batch', 10),
      dataset('b', 'batch', 2 ** 30),
      dataset('c', 'batch', 10),
      documents('c', 100_000_000),
      documents('f', 2 ** 30),
      dataset('d', 'eks', 10),
      dataset('e', 'eks', 10),
    ]);
    const told = jobs.map(({ job, order }) => [
      job.owner,
      job.backend,
      order.datasets
        .map(({ tenantId }) => tenantId)
        .toSorted()
        .join(),
      order.documents.map(({ tenantId }) => tenantId).join(),
    ]);
    expect(told.toSorted()).toEqual([
      ['d', 'eks', 'd', ''],
      ['e', 'eks', 'e', ''],
      ['quality', 'batch', '', 'f'],
      ['quality', 'batch', 'a,c', 'c'],
      ['quality', 'batch', 'b', ''],
    ]);
    const shared = jobs.find(({ order }) => order.datasets.length === 2);
    expect(shared?.job.tenants.toSorted()).toEqual(['a', 'c']);
    expect(new Set(jobs.map(({ job }) => job.runId)).size).toBe(5);
  });

  it('makes sixty jobs a check at most, of other tenants in each, and the same ones when it is tried again', () => {
    const due = Array.from({ length: 100 }, (_, index) => documents(`t${index}`, 2 ** 30));
    const tenantsOf = (check: string) => jobsOf(due, check).flatMap(({ job }) => job.tenants);
    expect(tenantsOf('one')).toHaveLength(60);
    expect(tenantsOf('one')).toEqual(tenantsOf('one'));
    const looked = new Set(['one', 'two', 'three', 'four', 'five', 'six'].flatMap(tenantsOf));
    expect(looked.size).toBeGreaterThan(95);
  });
});
