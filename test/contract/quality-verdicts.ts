import { describe, expect, it } from 'vitest';
import type { QualityVerdicts } from '../../lib/ports/quality-verdicts.ts';
import type { DatasetMemory, PartitionEntry } from '../../lib/quality/datasets/memory.ts';
import { datasetProfileSchema } from '../../lib/quality/datasets/profile.ts';
import type { Profile } from '../../lib/quality/profile.ts';
import type {
  QualityHistoryEntry,
  QualityMemory,
  QualityVerdict,
  VerdictName,
} from '../../lib/quality/verdict.ts';

/** A time, so many seconds on. */
const at = (second: number) => new Date(Date.UTC(2026, 10, 24, 2, 0, second)).toISOString();

const emptyProfile: Profile = {
  digest: 'd'.repeat(64),
  files: 1,
  bytes: 2,
  newestArrival: '2026-11-24T00:00:00.000Z',
  found: 1,
  used: 1,
  unreadable: 0,
  empty: 0,
  duplicates: 0,
  meanLength: 2,
  lengthDeviation: 0,
  scripts: { Latin: 2 },
  sampled: false,
  leftOut: '',
};

const emptyDataset = {
  files: 0,
  bytes: 0,
  newestArrival: null,
  unreadable: [],
  unfinished: 0,
  broken: 0,
  duplicates: 0,
  fields: [],
  newestEvent: null,
  partitions: {},
  sampled: false,
};

/** What every store of verdicts keeps. */
export function qualityVerdictsContract(name: string, make: () => Promise<QualityVerdicts>): void {
  describe(`QualityVerdicts: ${name}`, () => {
    it('the newest quality verdict is kept', async () => {
      const verdicts = await make();
      const of = (verdict: VerdictName, checkedAt: string): QualityVerdict => ({
        tenantId: 'acme',
        verdict,
        findings: [{ check: 'freshness', code: 'STALE', severity: 'critical', sentence: 'too old' }],
        checkedAt,
        since: checkedAt,
        digest: 'd'.repeat(64),
      });
      expect(await verdicts.standing('acme')).toEqual({ verdict: undefined, override: undefined });
      expect(await verdicts.record(of('passed', at(0)))).toBe(true);
      expect(await verdicts.record(of('critical', at(1)))).toBe(true);
      expect(await verdicts.record(of('passed', at(0)))).toBe(false);
      expect((await verdicts.standing('acme')).verdict).toEqual(of('critical', at(1)));
      const none = { verdict: undefined, override: undefined };
      const many = Array.from({ length: 120 }, (_, index) => `none-${index}`);
      expect(await verdicts.standings(['nobody', 'acme', ...many])).toEqual([
        none,
        { verdict: of('critical', at(1)), override: undefined },
        ...many.map(() => none),
      ]);
      expect(await verdicts.standings([])).toEqual([]);
      // A state that is tried again records the same verdict again.
      expect(await verdicts.record(of('critical', at(1)))).toBe(true);
    });

    it('what was learnt, the history and decisions on a gate are kept beside the verdict', async () => {
      const verdicts = await make();
      const memory = (checkedAt: string, count: number): QualityMemory => ({
        tenantId: 'acme',
        checkedAt,
        profile: emptyProfile,
        baseline: { detectors: {}, count, since: at(0) },
      });
      expect(await verdicts.memory('acme')).toBeUndefined();
      await verdicts.remember(memory(at(1), 2));
      await verdicts.remember(memory(at(0), 1));
      expect(await verdicts.memory('acme')).toEqual(memory(at(1), 2));
      const entry = (checkedAt: string): QualityHistoryEntry => ({
        tenantId: 'acme',
        checkedAt,
        verdict: 'passed',
        findings: [],
        profile: emptyProfile,
      });
      for (const second of [0, 1, 2, 1]) await verdicts.append(entry(at(second)));
      await verdicts.append({ ...entry(at(3)), tenantId: 'acme-2' });
      expect(await verdicts.history('acme', 2)).toEqual([entry(at(2)), entry(at(1))]);
      expect(await verdicts.history('acme', 10)).toHaveLength(3);
      const override = { tenantId: 'acme', reason: 'known', decidedAt: at(0), expiresAt: at(5) };
      await verdicts.putOverride({ ...override, expiresAt: at(9) });
      await verdicts.putOverride(override);
      expect((await verdicts.standing('acme')).override).toEqual(override);
      expect((await verdicts.standing('acme-2')).override).toBeUndefined();
    });

    it('of a dataset what was learnt last is kept, and of each partition the judgement that was made last', async () => {
      const verdicts = await make();
      const memory = (checkedAt: string, first: string | null): DatasetMemory => ({
        tenantId: 'acme',
        checkedAt,
        location: 's3://data/acme/orders/',
        first,
        partitions: { '2026-11-24T02': { digest: 'd', rows: 3, newestEvent: null, findings: [] } },
        excluded: [{ from: at(0), to: at(1) }],
      });
      expect(await verdicts.dataset('acme')).toBeUndefined();
      await verdicts.rememberDataset(memory(at(1), '2026-11-24T02'));
      await verdicts.rememberDataset(memory(at(0), null));
      expect(await verdicts.dataset('acme')).toEqual(memory(at(1), '2026-11-24T02'));
      const entry = (partition: string, asOf: string, rows: number): PartitionEntry => ({
        tenantId: 'acme',
        partition,
        at: `${partition}:00:00.000Z`,
        asOf,
        digest: String(rows),
        findings: [],
        profile: datasetProfileSchema.parse({ ...emptyDataset, rows }),
        lateHours: null,
        expected: {},
      });
      const [first, second] = ['2026-11-24T02', '2026-11-24T03'] as const;
      await verdicts.appendPartitions([entry(second, at(2), 3), entry(first, at(1), 1)]);
      await verdicts.appendPartitions([entry(first, at(3), 2), entry(second, at(0), 9)]);
      await verdicts.appendPartitions([]);
      expect(await verdicts.partitions('acme', 9)).toEqual([entry(second, at(2), 3), entry(first, at(3), 2)]);
      expect(await verdicts.partitions('acme', 1)).toHaveLength(1);
      expect(await verdicts.partitions('acme-2', 9)).toEqual([]);
    });
  });
}
