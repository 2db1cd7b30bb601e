import { describe, expect, it } from 'vitest';
import { at, best, scored } from './nab-score.ts';
import { benchPower, benchSilence } from './power.ts';

describe('the detector over simulated tenants', () => {
  it('is silent on clean data', () => {
    const { warningsPerTenantAndQuarter, closedPer1000TenantNights } = benchSilence(24, 70);
    expect(warningsPerTenantAndQuarter).toBeLessThan(1.5);
    expect(closedPer1000TenantNights).toBeLessThan(2);
  });

  it('finds what is broken in the hour it is in', () => {
    const shares = benchPower(6) as Record<string, Record<number, Record<number, number>>>;
    const found = (kind: string, size: number, noise: number) => shares[kind]?.[size]?.[noise] ?? 0;
    expect(found('rows', 0.3, 0.03)).toBeGreaterThan(0.85);
    expect(found('rows', 0.5, 0.06)).toBeGreaterThan(0.9);
    for (const noise of [0.03, 0.15])
      for (const [kind, size] of [
        ['nulls', 0.05],
        ['missing', 1],
        ['mix', 0.2],
      ] as const)
        expect(found(kind, size, noise), `${kind} at ${noise}`).toBe(1);
  });
});

describe('the scorer of the anomaly benchmark', () => {
  const times = Array.from({ length: 1_000 }, (_, index) => `t${String(index).padStart(4, '0')}`);
  const file = { name: 'a', times, values: times.map(() => 0), windows: [['t0500', 't0599']] as const };
  const alarmsAt = (...indices: number[]) => {
    const scores = times.map((_, index) => (indices.includes(index) ? 1 : 0));
    return at(scored([file], [scores]), new Set([0]), 1);
  };

  it('gives 100 for an alarm at the left edge, 0 for none, and less the later an alarm comes', () => {
    expect(alarmsAt(500).score).toBeCloseTo(100, 9);
    expect(alarmsAt().score).toBe(0);
    expect(alarmsAt(550).score).toBeGreaterThan(alarmsAt(590).score);
    expect(alarmsAt(500)).toMatchObject({ recall: 1, falsePerThousand: 0 });
  });

  it('counts each false alarm, those well before the window whole, and none within the probation', () => {
    expect(alarmsAt(500, 300).score).toBeCloseTo(100 - 5.5, 9);
    expect(alarmsAt(500, 100).score).toBeCloseTo(100, 9);
    expect(alarmsAt(500, 610).score).toBeGreaterThan(alarmsAt(500, 900).score);
  });

  it('chooses the threshold with the best score', () => {
    const scores = times.map((_, index) => (index === 500 ? 3 : index === 300 ? 2 : 0));
    expect(best(scored([file], [scores]), new Set([0]))).toMatchObject({ threshold: 3, recall: 1 });
  });
});
