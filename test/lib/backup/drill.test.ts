import { describe, expect, it } from 'vitest';
import { type DrillRecord, judgeDrill } from '../../../lib/backup/drill.ts';
import { drillPage } from '../../../lib/backup/drill-page.ts';
import { renderReport } from '../../../lib/reports/report.ts';
import { aDrill, aRound } from './a-drill.ts';

const fourRounds = [1, 2, 3, 4].map((round) => aRound(round));
const withFifth = (over: Parameters<typeof aRound>[1]) => ({ rounds: [...fourRounds, aRound(5, over)] });
const late = { ...aRound(5).times, queriedAt: aRound(5).times.killedAt + 61_000 };

describe('the verdict on a drill', () => {
  it('gives the worst of all rounds, none left out', () => {
    expect(judgeDrill(aDrill(withFifth({ rpoMs: 900, lost: 7 })))).toMatchObject({
      passed: true,
      reasons: [],
      worstRtoMs: 3_000,
      worstRpoMs: 900,
      lost: 15,
      settingsRpoMs: 240_100,
    });
  });

  it.each<[string, Partial<DrillRecord>, string]>([
    ['of four rounds', { rounds: fourRounds }, '4 rounds; at least 5 count'],
    ['that did nothing', { rounds: [] }, '0 rounds; at least 5 count'],
    [
      'with a round that broke off',
      { rounds: [...fourRounds, { round: 5, error: 'no answer' }] },
      'round 5 did not come to its end: no answer',
    ],
    ['that lost more than its interval', withFifth({ rpoMs: 2_500 }), '2500 ms were lost'],
    ['that took too long', withFifth({ times: late }), 'it took 61000 ms'],
    ['in which nothing was acknowledged', withFifth({ acknowledged: 0 }), 'nothing was acknowledged'],
    ['that read nothing back', withFifth({ rows: 0 }), 'nothing was read back'],
    ['in which no model was asked', withFifth({ pointers: 0 }), 'nothing was read back'],
    ['that passed over its newest point', withFifth({ passedOver: 1 }), '1 newer points could not be used'],
    ['in which something was under way', withFifth({ underWay: 1 }), '1 things were under way'],
    ['without an answer', withFifth({ answers: 0 }), 'the query had no answer'],
    ['with another model', withFifth({ model: 'm0' }), 'model m0 answered, m1 was live'],
    [
      'whose first point was unusable',
      { passedOver: [{ id: 'P', why: 'damaged' }] },
      'the newest point could not be used: P: damaged',
    ],
    [
      'with a fault that did not hold',
      { faults: [{ fault: 'F35', what: 'empty', outcome: 'failed', detail: 'restored' }] },
      'empty: restored',
    ],
    ['of settings without backups', { goals: { ...aDrill().goals, settingMs: 'off' } }, 'backups are off'],
    [
      'of settings that lose too much',
      { longestBackupMs: 70_000 },
      'the settings can lose 310000 ms; 300000 are allowed',
    ],
  ])('is "not passed" for one %s', (_, over, why) => {
    const { passed, reasons } = judgeDrill(aDrill(over));
    expect(passed).toBe(false);
    expect(reasons.join('; ')).toContain(why);
  });

  it('says "not run" of a fault without failing for it', () => {
    const faults = [{ fault: 'F46', what: 'full', outcome: 'not run', detail: 'root only' }] as const;
    expect(judgeDrill(aDrill({ faults })).passed).toBe(true);
  });

  it('allows a minute for each gigabyte', () => {
    expect(judgeDrill(aDrill({ dataBytes: 5e9, ...withFifth({ times: late }) })).passed).toBe(true);
  });
});

describe('the page of a drill', () => {
  it('shows the verdict, each round from the kill on and every fault, whatever they are called', () => {
    const faults = [{ fault: 'F35', what: '<script>', outcome: 'failed', detail: '&' }] as const;
    const record = aDrill({ faults, rounds: [...fourRounds, { round: 5, error: '<b>broken</b>' }] });
    const html = renderReport(drillPage(record, judgeDrill(record)));
    expect(html).toContain('not passed');
    expect(html).toContain('Round 4: 3.0 s from the kill to the answer');
    expect(html).toContain('&lt;b&gt;broken&lt;/b&gt;');
    expect(html).not.toContain('<script>');
  });
});
