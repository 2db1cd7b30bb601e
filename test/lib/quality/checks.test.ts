import { describe, expect, it } from 'vitest';
import { checkAnomalies } from '../../../lib/quality/anomalies.ts';
import { type Baseline, followProfile } from '../../../lib/quality/baseline.ts';
import { checkCompleteness } from '../../../lib/quality/completeness.ts';
import { significant } from '../../../lib/quality/false-discovery.ts';
import { checkFreshness } from '../../../lib/quality/freshness.ts';
import { type Evidence, isSystemic, judge } from '../../../lib/quality/judge.ts';
import type { Profile } from '../../../lib/quality/profile.ts';
import { defaultRules, rulesOf } from '../../../lib/quality/rules.ts';
import { chiSquaredSurprise, stability } from '../../../lib/quality/stability.ts';
import type { QualityVerdict } from '../../../lib/quality/verdict.ts';
import { wholeProfile as profile } from '../../fixtures/quality-history.ts';

const at = Date.parse('2026-11-24T02:00:00Z');
const day = 86_400_000;

const codes = (findings: readonly { readonly code: string }[]) => findings.map(({ code }) => code);

describe('completeness', () => {
  it('finds nothing in whole data', () => {
    expect(checkCompleteness(profile(), defaultRules)).toEqual([]);
  });

  it.each([
    ['TOO_FEW_DOCUMENTS', { used: 9 }, '9 usable documents, at least 10 are needed'],
    ['UNREADABLE', { unreadable: 201 }, '201 of 1000 documents (20.1 %) cannot be read, 20 % may be'],
    ['EMPTY', { empty: 501 }, '501 of 1000 documents (50.1 %) are empty, 50 % may be'],
    ['DUPLICATES', { duplicates: 801 }, '801 of 1000 documents (80.1 %) repeat another, 80 % may be'],
  ])('%s is critical and says how many', (code, over, sentence) => {
    expect(checkCompleteness(profile(over), defaultRules)).toEqual([
      { check: 'completeness', code, severity: 'critical', sentence },
    ]);
  });

  it('does not count what a sample left unread as missing', () => {
    expect(checkCompleteness(profile({ used: 9, sampled: true }), defaultRules)).toEqual([]);
  });

  it("holds data to the tenant's own rules", () => {
    expect(codes(checkCompleteness(profile(), rulesOf({ minDocuments: 991 })))).toEqual([
      'TOO_FEW_DOCUMENTS',
    ]);
    expect(codes(checkCompleteness(profile(), rulesOf({ maxEmpty: 0 })))).toEqual(['EMPTY']);
  });
});

describe('freshness', () => {
  const rules = rulesOf({ maxAgeHours: 2 });

  it('allows exactly the age of the rules, and any age without one', () => {
    expect(checkFreshness(profile(), rules, at)).toEqual([]);
    expect(codes(checkFreshness(profile(), rules, at + 1))).toEqual(['STALE']);
    expect(checkFreshness(profile(), defaultRules, at + 1_000 * day)).toEqual([]);
  });

  it('tells a clock that is wrong from fresh data', () => {
    const future = profile({ newestArrival: '2026-11-24T03:00:00.000Z' });
    expect(checkFreshness(future, rules, at)).toMatchObject([
      { code: 'ARRIVAL_IN_FUTURE', severity: 'warning' },
    ]);
    const skewed = profile({ newestArrival: '2026-11-24T02:04:00.000Z' });
    expect(checkFreshness(skewed, rules, at)).toEqual([]);
  });

  it('has nothing to say where nothing ever arrived', () => {
    expect(checkFreshness(profile({ newestArrival: null }), rules, at)).toEqual([]);
  });
});

/** The baseline after so many daily profiles that differ a little. */
function learnt(days: number): Baseline {
  let baseline: Baseline | undefined;
  for (let count = 0; count < days; count += 1) {
    const used = 980 + ((count * 7) % 21);
    const next = profile({ used, found: used + 10, bytes: 1_000 * used });
    baseline = followProfile(baseline, next, at - (days - count) * day).baseline;
  }
  if (!baseline) throw new Error('no day was learnt');
  return baseline;
}

function anomaliesOf(before: Baseline, next: Profile) {
  return checkAnomalies(before, { ...followProfile(before, next, at), at });
}

describe('anomalies', () => {
  const before = learnt(60);

  it('are none while the baseline is learnt, whatever comes', () => {
    expect(anomaliesOf(learnt(20), profile({ used: 1, found: 900 }))).toEqual([]);
  });

  it('are none in a day like the others', () => {
    expect(anomaliesOf(before, profile({ used: 985, found: 995, bytes: 985_000 }))).toEqual([]);
  });

  it('name what was expected when two thirds of the documents are gone, and close the gate', () => {
    const found = anomaliesOf(before, profile({ used: 300, found: 310, bytes: 300_000 }));
    expect(found.find(({ code }) => code === 'UNUSUAL_DOCUMENTS')).toMatchObject({
      severity: 'critical',
      sentence: expect.stringMatching(
        /^300 documents, expected 8\d\d to 1,1\d\d for a Tuesday 02:00, from 60 checks of 60 days$/,
      ),
    });
  });

  it('warn of many more documents and close no gate', () => {
    const found = anomaliesOf(before, profile({ used: 3_000, found: 3_010, bytes: 3_000_000 }));
    expect(found.map(({ severity }) => severity)).not.toContain('critical');
    expect(codes(found)).toContain('UNUSUAL_DOCUMENTS');
  });

  it('tell a new script', () => {
    const found = anomaliesOf(before, profile({ scripts: { Latin: 200_000, Cyrillic: 200_000 } }));
    expect(found).toMatchObject([
      { code: 'UNUSUAL_SCRIPTS', severity: 'warning', sentence: expect.stringContaining('50 %, usually') },
    ]);
  });
});

describe('the false-discovery procedure', () => {
  it('reports by rank: the same surprise alone and in company', () => {
    // 4 tests at a rate of 1e-4: the best needs 4.6, the second beside it 4.3.
    expect(significant([4.5, 0, 0, 0], 1e-4)).toEqual([false, false, false, false]);
    expect(significant([4.7, 0, 0, 0], 1e-4)).toEqual([true, false, false, false]);
    expect(significant([4.4, 4.4, 0, 0], 1e-4)).toEqual([true, true, false, false]);
    expect(significant([], 1e-4)).toEqual([]);
  });
});

describe('the stability of a mix', () => {
  it('is 0 for the same mix, and judged by how much was counted', () => {
    expect(stability({ a: 2_000, b: 2_000 }, { a: 2_000, b: 2_000 }, 200).index).toBeCloseTo(0, 12);
    const few = stability({ a: 2_000, b: 2_000 }, { a: 1_200, b: 2_800 }, 200);
    const many = stability({ a: 2e6, b: 2e6 }, { a: 1.2e6, b: 2.8e6 }, 200);
    expect(few.index).toBeLessThan(0.25);
    expect(few.surprise).toBeLessThan(1);
    expect(many.surprise).toBeGreaterThan(20);
  });

  it('has the tail of the chi-squared distribution', () => {
    // With 2 degrees the tail is exp(-x / 2); with 12 it is exp(-30) times the first six terms of exp(30).
    expect(chiSquaredSurprise(40, 2)).toBeCloseTo(20 / Math.LN10, 9);
    const terms = 1 + 30 + 450 + 4_500 + 33_750 + 202_500;
    expect(chiSquaredSurprise(60, 12)).toBeCloseTo((30 - Math.log(terms)) / Math.LN10, 9);
    // Tables give 10.828 for one in a thousand with one degree, 16.266 with three.
    expect(chiSquaredSurprise(10.828, 1)).toBeCloseTo(3, 3);
    expect(chiSquaredSurprise(16.266, 3)).toBeCloseTo(3, 3);
    expect(chiSquaredSurprise(1, 3)).toBe(0);
  });
});

describe('a judgement', () => {
  const evidence = (over: Partial<Evidence> = {}): Evidence => ({
    tenantId: 'acme',
    checkedAt: '2026-11-24T02:00:00.000Z',
    files: 3,
    digest: 'd'.repeat(64),
    findings: [],
    learnt: 60,
    ...over,
  });
  const finding = (severity: 'warning' | 'critical') =>
    ({ check: 'freshness', code: 'STALE', severity, sentence: 'old' }) as const;

  it('says the worst that was found', () => {
    expect(judge(evidence(), undefined).verdict).toBe('passed');
    expect(judge(evidence({ learnt: 5 }), undefined).verdict).toBe('learning');
    expect(judge(evidence({ findings: [finding('warning')] }), undefined).verdict).toBe('warning');
    const both = [finding('warning'), finding('critical')];
    expect(judge(evidence({ findings: both, learnt: 1 }), undefined).verdict).toBe('critical');
    const nothing = judge(evidence({ files: 0 }), undefined);
    expect(nothing).toMatchObject({ verdict: 'no-data', findings: [{ code: 'NO_DATA' }] });
    expect(nothing).not.toHaveProperty('digest');
  });

  it('opens a gate later than it closes one: what is nearly as bad keeps it closed', () => {
    const documents = (unreadable: number) =>
      checkCompleteness(profile({ found: 100, used: 100 - unreadable, unreadable }), rulesOf({}));
    const judged = (unreadable: number, before: QualityVerdict | undefined) =>
      judge(evidence({ findings: documents(unreadable) }), before);
    expect(judged(19, undefined).verdict).toBe('passed');
    const closed = judged(21, undefined);
    const held = judged(19, closed);
    expect(held).toMatchObject({ verdict: 'critical', findings: [{ code: 'UNREADABLE' }] });
    expect(held.findings[0]).not.toHaveProperty('holds');
    expect(judged(17, held).verdict).toBe('passed');
    expect(judged(19, judged(17, held)).verdict).toBe('passed');
  });

  it('of half of the documents holds until 70 % are there', () => {
    const before = learnt(60);
    const documents = (used: number, then: QualityVerdict | undefined) =>
      judge(
        evidence({ findings: anomaliesOf(before, profile({ used, found: used + 10, bytes: used * 1_000 })) }),
        then,
      );
    const closed = documents(400, undefined);
    expect(closed.verdict).toBe('critical');
    expect(documents(650, undefined).verdict).toBe('warning');
    expect(documents(650, closed).verdict).toBe('critical');
    expect(documents(950, closed).verdict).not.toBe('critical');
  });

  it('keeps since when the gate has been as it is', () => {
    const first = judge(evidence(), undefined);
    const later = { checkedAt: '2026-11-24T03:00:00.000Z' };
    expect(judge(evidence({ ...later, findings: [finding('warning')] }), first).since).toBe(first.checkedAt);
    const closed = judge(evidence({ ...later, findings: [finding('critical')] }), first);
    expect(closed.since).toBe(later.checkedAt);
  });
});

describe('an incident of the platform', () => {
  it.each([
    [{ judged: 100, closing: 10 }, false],
    [{ judged: 220, closing: 11 }, false],
    [{ judged: 219, closing: 11 }, true],
    [{ judged: 10_000, closing: 501 }, true],
    [{ judged: 10_000, closing: 500 }, false],
    [{ judged: 0, closing: 0 }, false],
  ])('%j: %s', (counts, systemic) => {
    expect(isSystemic(counts)).toBe(systemic);
  });
});
