import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { recordsPolicy } from '../../../lib/backup/record-retention.ts';
import { backupSettings } from '../../../lib/backup/settings.ts';
import { LocalBackups } from '../../../local/backup/local-backups.ts';
import { silentLog } from '../../fixtures/silent-log.ts';
import { aState } from './a-state.ts';

const minute = 60_000;

async function backingUp(given: unknown = {}) {
  const state = await aState();
  const faults: string[] = [];
  const { clock, ids, folder } = state;
  const settings = backupSettings(given);
  const onFault = (error: Error) => faults.push(error.message);
  const backups = new LocalBackups({
    state: state.state,
    settings,
    policy: recordsPolicy(undefined),
    folder,
    clock,
    ids,
    log: silentLog,
    onFault,
  });
  const taken = async () => {
    // What a timer began ends in real time, of which the clock knows nothing.
    for (let calm = 0; calm < 50; calm += 1) await new Promise<void>((resolve) => setImmediate(resolve));
    await backups.idle();
    return (await state.repository.points()).flatMap((point) =>
      'manifest' in point ? [point.manifest.takenAt.slice(11, 16)] : [],
    );
  };
  const close = async () => {
    await backups.close();
    await state.close();
  };
  return { state, backups, clock, faults, taken, close };
}

describe('backups of a running control plane', () => {
  it('are made at once and then every few minutes, so that no more than the interval is lost', async () => {
    const { backups, clock, taken, close } = await backingUp({ everyMinutes: 4 });
    expect(backups.age()).toBe(-1);
    await backups.keepUp();
    for (let minutes = 0; minutes < 9; minutes += 1) {
      await clock.advance(minute);
      await taken();
      expect(backups.age()).toBeLessThanOrEqual(4 * 60);
    }
    expect(await taken()).toEqual(['02:00', '02:04', '02:08']);
    await close();
  });

  it('F36, F38: that stop are seen by the age of the newest point, and told once', async () => {
    const { state, backups, clock, faults, taken, close } = await backingUp({ everyMinutes: 4 });
    await backups.keepUp();
    await clock.advance(0);
    expect(await taken()).toEqual(['02:00']);
    rmSync(state.folder, { recursive: true });
    writeFileSync(state.folder, 'a file where the folder was');
    for (let tries = 0; tries < 3; tries += 1) {
      await clock.advance(4 * minute);
      await backups.idle();
    }
    expect(faults).toEqual([expect.stringContaining('no backup was made: ')]);
    expect(backups.age()).toBe(12 * 60);
    await close();
  });

  it('wait for their turn after a restart whose newest point is young enough', async () => {
    const { state, backups, clock, taken, close } = await backingUp({ everyMinutes: 4 });
    await state.backUp();
    await clock.advance(3 * minute);
    await backups.keepUp();
    expect(backups.age()).toBe(180);
    await clock.advance(30_000);
    expect(await taken()).toEqual(['02:00']);
    await clock.advance(30_000);
    expect(await taken()).toEqual(['02:00', '02:04']);
    await close();
  });

  it('are made by nobody where they are off, except when they are asked for', async () => {
    const { backups, clock, taken, close } = await backingUp({ everyMinutes: 'off' });
    await backups.keepUp();
    await clock.advance(600 * minute);
    expect(await taken()).toEqual([]);
    await Promise.all([backups.run(), backups.run()]);
    expect(await taken()).toEqual(['12:00', '12:00']);
    await close();
  });
});
