import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DrillTimer } from '../../../local/backup/drill-timer.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { silentLog } from '../../fixtures/silent-log.ts';
import { freshDir } from '../../fresh-dir.ts';

const day = 86_400_000;

function timing(drillDays: number | 'off' = 7) {
  const clock = new VirtualClock(Date.parse('2026-11-01T00:00:00Z'));
  const [stateDir, repository] = [freshDir(), freshDir()];
  mkdirSync(join(repository, 'drills'));
  const faults: string[] = [];
  const begun: number[] = [];
  let stopped = 0;
  let end: (result: { code: number; said: string }) => void = () => {};
  const timer = new DrillTimer({
    stateDir,
    repository,
    drillDays,
    clock,
    log: silentLog,
    onFault: (error) => faults.push(error.message),
    begin: () => {
      begun.push((clock.now() - Date.parse('2026-11-01T00:00:00Z')) / day);
      const { promise, resolve } = Promise.withResolvers<{ code: number; said: string }>();
      end = resolve;
      return {
        ended: promise,
        stop: () => {
          stopped += 1;
        },
      };
    },
  });
  /** Looks every hour for so many days; every drill that is begun ends at once. */
  const live = async (days: number, code = 0, said = '') => {
    for (let hour = 0; hour < days * 24; hour += 1) {
      const before = begun.length;
      await timer.look();
      if (begun.length > before) {
        if (code === 0)
          writeFileSync(
            join(repository, 'drills', `${String(begun.length).padStart(3, '0')}.json`),
            JSON.stringify({ finishedAt: new Date(clock.now()).toISOString(), verdict: { passed: true } }),
          );
        end({ code, said });
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      await clock.advance(day / 24);
    }
  };
  return { timer, live, begun, faults, stopped: () => stopped };
}

describe('drills of a running control plane', () => {
  it('begin after a day and then once a week', async () => {
    const { live, begun, faults } = timing();
    await live(23);
    expect(begun).toEqual([1, 8, 15, 22]);
    expect(faults).toEqual([]);
  });

  it('that fail are told and tried again after a day', async () => {
    const { live, begun, faults } = timing();
    await live(4, 1, 'error DRILL_NOT_PASSED: The drill did not pass: lost.');
    expect(begun).toEqual([1, 2, 3]);
    expect(faults[0]).toContain('DRILL_NOT_PASSED');
  });

  it('of a state that has nothing to prove yet trouble nobody', async () => {
    const { live, faults } = timing();
    await live(3, 1, 'error DRILL_NOTHING_LIVE: No model is live.');
    expect(faults).toEqual([]);
  });

  it('begin not where the settings say off, one at a time, and end with the control plane', async () => {
    const off = timing('off');
    await off.live(9);
    expect(off.begun).toEqual([]);
    const { timer, begun, stopped } = timing(1);
    await timer.look();
    timer.close();
    expect([begun.length, stopped()]).toEqual([0, 0]);
  });
});
