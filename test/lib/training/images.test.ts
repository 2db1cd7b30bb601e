import { describe, expect, it } from 'vitest';
import { cleared, type ImageRecord, withFailure, withStart } from '../../../lib/training/images.ts';

const image = `data-pipeline@sha256:${'a'.repeat(64)}`;
const at = (minute: number) => new Date(Date.parse('2026-11-24T02:00:00Z') + minute * 60_000).toISOString();
const failure = (tenantId: string, submitted: number, given = submitted + 5) => ({
  tenantId,
  runId: `${tenantId}-1`,
  submittedAt: at(submitted),
  at: at(given),
  why: 'manifest unknown',
});

/** The record after failures of these tenants, one a minute. */
const failed = (tenants: readonly string[], from?: ImageRecord) =>
  tenants.reduce<ImageRecord | undefined>(
    (record, tenantId, index) => withFailure(record, image, failure(tenantId, index + 1)) ?? record,
    from,
  );

describe('an image', () => {
  it('is bad when jobs of three tenants could not be started by it, and not before', () => {
    expect(failed(['a', 'b'])?.badSince).toBeUndefined();
    expect(failed(['a', 'b', 'c'])).toMatchObject({ badSince: at(8), failures: [{}, {}, {}] });
  });

  it('is not bad for failures of one tenant, however many', () => {
    expect(failed(['a', 'a', 'a', 'a'])).toMatchObject({ failures: [{ tenantId: 'a' }] });
    expect(failed(['a', 'a', 'a', 'a'])?.badSince).toBeUndefined();
  });

  it('is not bad for failures that are a day apart', () => {
    const first = failed(['a', 'b']);
    const late = withFailure(first, image, failure('c', 1_500));
    expect(late).toMatchObject({ failures: [{ tenantId: 'c' }] });
    expect(late?.badSince).toBeUndefined();
  });

  it('is not bad for jobs that were submitted before another one was started by it', () => {
    const started = withStart(undefined, image, at(4));
    expect(failed(['a', 'b', 'c', 'd'], started)?.failures).toEqual([]);
    const later = failed(['a', 'b', 'c', 'd', 'e', 'f', 'g'], started);
    expect(later).toMatchObject({ badSince: at(12), failures: [{}, {}, {}] });
  });

  it('is good again when a job is started by it after its failures were submitted', () => {
    const bad = failed(['a', 'b', 'c']);
    expect(withStart(bad, image, at(9))).toEqual({ image, version: 0, provenAt: at(9), failures: [] });
  });

  it('stays bad when a start is reported late that was before its failures', () => {
    const bad = failed(['a', 'b', 'c']);
    expect(withStart(bad, image, at(0))).toMatchObject({ badSince: at(8), provenAt: at(0) });
    const [started] = [withStart(undefined, image, at(9))];
    expect(withStart(started, image, at(2))).toBeUndefined();
  });

  it('is written for a start once a minute, unless failures are dropped by it', () => {
    const started = withStart(undefined, image, at(0));
    expect(withStart(started, image, at(0.5))).toBeUndefined();
    expect(withStart(started, image, at(1))).toMatchObject({ provenAt: at(1) });
    const suspect = withFailure(started, image, failure('a', 0.2));
    expect(withStart(suspect, image, at(0.5))).toMatchObject({ provenAt: at(0.5), failures: [] });
  });

  it('starts from nothing once an operator cleared it', () => {
    const bad = failed(['a', 'b', 'c']);
    if (!bad) throw new Error('it is not bad');
    const good = cleared(bad, at(60));
    expect(good).toEqual({ image, version: 0, provenAt: at(60), failures: [] });
    expect(withFailure(good, image, failure('d', 59, 70))).toBeUndefined();
  });

  it('keeps of a reason what fits a record', () => {
    const long = withFailure(undefined, image, { ...failure('a', 1), why: 'x'.repeat(9_000) });
    expect(long?.failures[0]?.why).toHaveLength(500);
  });
});
