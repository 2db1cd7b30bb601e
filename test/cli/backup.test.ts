import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../lib/system/system-clock.ts';
import { systemIds } from '../../lib/system/system-ids.ts';
import { openControl } from '../../local/open-control.ts';
import { freshDir } from '../fresh-dir.ts';
import { call } from './harness.ts';

const clock = new SystemClock();
const ids = systemIds(clock);

/** The command on a state directory of its own. */
function commandIn(folder: string) {
  const stateDir = join(folder, 'state');
  return (...args: string[]) =>
    call(
      {
        clock,
        ids,
        variables: { EPSILON_STATE_DIR: stateDir },
        open: async (_, options) =>
          (await openControl({ projectDir: '.', stateDir, variables: {}, clock, ...options })).control,
      },
      args,
    );
}

describe('epsilon backup and restore', () => {
  it('make a point, list it, verify it, restore it and promote what was approved', async () => {
    const folder = freshDir();
    const epsilon = commandIn(folder);
    const made = await epsilon('backup', 'run', '--json');
    const { id } = (made.json() as unknown as { point: { id: string } }).point;
    expect((await epsilon('backup', 'run')).out).toContain('It is on the disk of the state');
    const listed = await epsilon('backup', 'list', '--json');
    expect(listed.json()['points']).toHaveLength(2);
    expect((await epsilon('backup', 'list')).out).toMatch(new RegExp(`${id} .*same disk`));
    expect((await epsilon('backup', 'verify', id)).out).toContain('can be restored. Read back');
    const into = join(folder, 'new');
    const asked = await epsilon('restore', '--to', 'newest', '--into', into, '--json');
    expect(asked.json()).toMatchObject({ promoted: false, epoch: 1, passedOver: [] });
    expect(readdirSync(folder).sort()).toEqual(['state', 'state-backups']);
    const shown = await epsilon('restore', '--id', id, '--into', into);
    const digest = /--approve ([0-9a-f]{16})/.exec(shown.out)?.[1] ?? '';
    expect(await epsilon('restore', '--id', id, '--into', into, '--approve', 'f'.repeat(16))).toMatchObject({
      code: 3,
    });
    const done = await epsilon('restore', '--id', id, '--into', into, '--approve', digest);
    expect(done.out).toContain('is the state that goes on (epoch 1)');
    expect(readdirSync(folder).sort()).toEqual(['new', 'state', 'state-backups']);
    expect(await epsilon('tenants', 'add', 'acme')).toMatchObject({ code: 2 });
    expect(await epsilon('backup', 'run')).toMatchObject({
      code: 3,
      err: expect.stringContaining('STATE_SUPERSEDED'),
    });
  });

  it.each([
    [['restore'], 'USAGE: "restore" needs one of'],
    [['restore', '--id', 'a', '--to', 'newest'], 'USAGE: "restore" needs one of'],
    [['restore', '--to', 'newest'], 'BACKUP_DIR_ABSENT'],
    [['backup', 'list'], 'BACKUP_DIR_ABSENT'],
    [['backup', 'verify', '--backups', 'somewhere'], 'BACKUP_DIR_ABSENT'],
    [['backup', 'list', '--backups', '.'], 'BACKUP_DIR_INSIDE'],
    [['--target', 'aws', 'backup', 'prune'], 'USAGE'],
  ])('refuse %j and make nothing', async (args, said) => {
    const folder = freshDir();
    const ran = await call({ variables: { EPSILON_STATE_DIR: '.epsilon' } }, args);
    expect(ran.err).toContain(said);
    expect(ran.code).toBe(2);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuse instants out of range and ids that are not there', async () => {
    const epsilon = commandIn(freshDir());
    await epsilon('backup', 'run');
    for (const [to, code] of [
      ['2020-01-01T00:00:00Z', 'RESTORE_POINT_OUT_OF_RANGE'],
      ['2999-01-01T00:00:00Z', 'RESTORE_POINT_OUT_OF_RANGE'],
      ['2026-11-26T10:00:00', 'RESTORE_TIME_INVALID'],
    ] as const)
      expect(await epsilon('restore', '--to', to)).toMatchObject({
        code: 2,
        err: expect.stringContaining(code),
      });
    expect(await epsilon('restore', '--id', 'nobody')).toMatchObject({
      code: 2,
      err: expect.stringContaining('BACKUP_NOT_FOUND'),
    });
    expect(await epsilon('restore', '--to', 'newest')).toMatchObject({
      code: 3,
      err: expect.stringContaining('RESTORE_TARGET_NOT_EMPTY'),
    });
  });

  it('refuse a folder of backups that is something else', async () => {
    const folder = freshDir();
    mkdirSync(join(folder, 'mine'));
    writeFileSync(join(folder, 'mine', 'letter'), '');
    const ran = await commandIn(folder)('backup', 'list', '--backups', join(folder, 'mine'));
    expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('BACKUP_DIR_FOREIGN') });
  });
});
