import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manifestText } from '../../../lib/backup/manifest.ts';
import { fenceFloor } from '../../../lib/backup/recovery.ts';
import { createFileObjectStore } from '../../../lib/files/file-object-store.ts';
import { preparePoint, promotePoint } from '../../../lib/operations/backup/restore-point.ts';
import { openSearch } from '../../../lib/operations/models/search.ts';
import { SqliteJournal } from '../../../local/asl/journal/sqlite.ts';
import { StateTarget } from '../../../local/backup/state-target.ts';
import { refuseSuperseded } from '../../../local/backup/superseded.ts';
import { openLocalStores } from '../../../local/stores/local-stores.ts';
import { openStateDirectory } from '../../../local/stores/state-directory.ts';
import { makeBench } from '../asl/harness.ts';
import { aState } from './a-state.ts';

type State = Awaited<ReturnType<typeof aState>>;

/** Everything about a folder that a restore that is refused must leave as it is. */
const fingerprint = (folder: string) =>
  globSync('**/*', { cwd: folder })
    .sort()
    .map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`);

function flip(file: string): void {
  const content = readFileSync(file);
  content[Math.floor(content.length / 2)] = (content[Math.floor(content.length / 2)] ?? 0) ^ 0xff;
  writeFileSync(file, content);
}

const leftOver = ({ into }: State) =>
  readdirSync(dirname(into)).filter((name) => name.startsWith(basename(into)));

describe('a restored state', () => {
  it('answers with the model that was live, and has nothing under way', async () => {
    const state = await aState();
    await state.backUp();
    await state.close();
    rmSync(state.path, { recursive: true });
    const { verification, recovered, epoch } = await state.restore({ to: 'newest' }, { promote: true });
    expect(verification).toMatchObject({ faults: [], objects: 5, pointers: 5 });
    expect([recovered, epoch]).toEqual([{ executions: 1, runs: 1, attempts: 1 }, 1]);
    const opened = openStateDirectory(state.into, 'write');
    const stores = openLocalStores({ stateDir: state.into });
    const live = await stores.models.live('acme');
    const objects = createFileObjectStore({ root: opened.objects });
    if (!live) throw new Error('nothing is live');
    const search = await openSearch(objects, live);
    expect(await search.ask('alpha', 1)).toMatchObject([{ id: 'p1', source: 'a.md' }]);
    expect(await stores.runs.listRunningRuns({ shard: 0, shards: 1 })).toEqual([]);
    expect(await stores.runs.listOpenAttempts({ shard: 0, shards: 1 })).toEqual([]);
    expect(await stores.runs.listAttempts('acme-2026-11-24')).toMatchObject([
      { status: 'lost', error: 'JobLost', cause: expect.stringContaining('It was under way at') },
    ]);
    expect(await stores.leases.get('acme')).toBeUndefined();
    const acts = await stores.audit.list({ since: '2000', until: '3000', limit: 9 });
    expect(acts).toMatchObject([{ act: 'backups.restore', actor: 'os:tester', outcome: 'done' }]);
    stores.close();
    opened.release();
  });

  it('F40: has no open execution, no token, no socket and no key of the state that it comes from', async () => {
    const state = await aState();
    await state.backUp();
    await state.close();
    await state.restore({ to: 'newest' }, { promote: true });
    const journal = new SqliteJournal({ stateDir: state.into });
    expect(journal.open()).toEqual([]);
    expect(journal.execution(state.executionArn)).toMatchObject({
      status: 'ABORTED',
      error: 'LostInRecovery',
    });
    journal.close();
    expect(existsSync(join(state.into, 'token'))).toBe(false);
    expect(existsSync(join(state.into, 'control.sock'))).toBe(false);
    expect(readdirSync(join(state.into, 'keys'))).toEqual([]);
    expect(readdirSync(join(state.into, 'jobs'))).toEqual([]);
  });

  it('goes on where it was by a redrive, under a new task token', async () => {
    const state = await aState();
    await state.backUp();
    await state.close();
    await state.restore({ to: 'newest' }, { promote: true });
    const tokens: string[] = [];
    const { engine } = makeBench({
      journal: new SqliteJournal({ stateDir: state.into }),
      clock: state.clock,
      functions: { submit: ({ token }: { token: string }) => void tokens.push(token) },
    });
    await engine.redriveExecution(state.executionArn);
    while (tokens.length === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    await expect(engine.sendTaskSuccess(state.token(), {})).rejects.toMatchObject({ name: 'TaskTimedOut' });
    await engine.sendTaskSuccess(tokens[0] ?? '', { done: true });
    expect(await engine.describeExecution(state.executionArn)).toMatchObject({ status: 'SUCCEEDED' });
    await engine.close();
  });

  it('refuses a promotion under any fence that was issued before it, also after the point', async () => {
    const state = await aState();
    await state.backUp();
    const request = {
      tenantId: 'acme',
      holder: 'later',
      now: '2026-11-24T05:00:00.000Z',
      expiresAt: '2026-11-24T06:00:00.000Z',
    };
    const late = await state.stores.leases.acquire(request);
    await state.close();
    await state.restore({ to: 'newest' }, { promote: true });
    const stores = openLocalStores({ stateDir: state.into });
    const promotion = { ...state.model, fence: late.fence, at: request.now, reason: 'run' } as const;
    await expect(stores.models.promote(promotion)).rejects.toMatchObject({ name: 'StaleFence' });
    expect((await stores.leases.acquire(request)).fence).toBe(fenceFloor(1) + 1);
    stores.close();
  });

  it('is backed up itself, and the state that it comes from no longer starts', async () => {
    const state = await aState();
    await state.backUp();
    await state.close();
    await refuseSuperseded(state.path, state.folder);
    await state.restore({ to: 'newest' }, { promote: true });
    await expect(refuseSuperseded(state.path, state.folder)).rejects.toMatchObject({
      code: 'STATE_SUPERSEDED',
      exitCode: 3,
    });
    await expect(state.backUp()).rejects.toMatchObject({ code: 'STATE_SUPERSEDED' });
    await refuseSuperseded(state.into, state.folder);
    const again = await state.restore({ to: 'newest' }, { to: `${state.into}-again` });
    expect(again.epoch).toBe(2);
  });
});

describe('a restore', () => {
  it.runIf(existsSync('/proc/self/environ'))(
    'F40: stops the jobs that the lost state has left running, and no others, once it is approved',
    async () => {
      const state = await aState();
      await state.backUp();
      await state.close();
      const jobOf = (folder: string) =>
        spawn('sleep', ['60'], { env: { EPSILON_OBJECTS_ROOT: join(folder, 'objects') }, stdio: 'ignore' });
      const [own, others] = [jobOf(state.path), jobOf(`${state.path}-of-others`)];
      await state.restore({ to: 'newest' });
      expect(own.exitCode ?? own.signalCode).toBeNull();
      const gone = once(own, 'exit');
      await state.restore({ to: 'newest' }, { promote: true });
      expect(await gone).toEqual([null, 'SIGKILL']);
      expect(others.exitCode ?? others.signalCode).toBeNull();
      others.kill('SIGKILL');
    },
  );

  it('is overtaken by another one that was promoted since it was prepared', async () => {
    const state = await aState();
    await state.backUp();
    await state.close();
    const { repository, clock } = state;
    const target = new StateTarget(`${state.into}-late`, state);
    const prepared = await preparePoint({ repository, target, clock }, { to: 'newest' }, 'os:tester');
    await state.restore({ to: 'newest' }, { promote: true });
    const late = promotePoint({ repository, target }, prepared, prepared.digest);
    await expect(late).rejects.toMatchObject({ code: 'RESTORE_OVERTAKEN', exitCode: 3 });
    await target.close({ keep: false });
    expect(existsSync(`${state.into}-late`)).toBe(false);
  });

  it('B19: is refused onto a state that is in use, onto its source and into a folder that is not empty; nothing is touched', async () => {
    const state = await aState();
    await state.backUp();
    const before = fingerprint(state.path);
    await expect(state.restore({ to: 'newest' }, { to: state.path })).rejects.toMatchObject({
      code: 'RESTORE_TARGET_LIVE',
      exitCode: 3,
    });
    await state.close();
    await expect(state.restore({ to: 'newest' }, { to: state.path })).rejects.toMatchObject({
      code: 'RESTORE_TARGET_NOT_EMPTY',
    });
    expect(fingerprint(state.path).filter((line) => !/^(lock|engine|store)/.test(line))).toEqual(
      before.filter((line) => !/^(lock|engine|store)/.test(line)),
    );
    mkdirSync(state.into);
    writeFileSync(join(state.into, 'mine'), '');
    await expect(state.restore({ to: 'newest' })).rejects.toMatchObject({ code: 'RESTORE_TARGET_NOT_EMPTY' });
    expect(leftOver(state)).toEqual([basename(state.into)]);
  });

  it('F40: is not promoted while the state that was backed up is in use', async () => {
    const state = await aState();
    await state.backUp();
    await expect(state.restore({ to: 'newest' }, { promote: true })).rejects.toMatchObject({
      code: 'RESTORE_SOURCE_LIVE',
    });
    expect(await state.repository.tenure()).toMatchObject({ epoch: 0 });
    expect(leftOver(state)).toEqual([]);
    await state.close();
  });

  it('that is not approved leaves nothing, and what it made meanwhile is no state directory', async () => {
    const state = await aState();
    await state.backUp();
    const target = new StateTarget(state.into, state);
    await preparePoint(
      { repository: state.repository, target, clock: state.clock },
      { to: 'newest' },
      'os:tester',
    );
    expect(() => openStateDirectory(`${state.into}.restoring`, 'read')).toThrow(/no state.json/);
    await expect(state.restore({ to: 'newest' })).rejects.toMatchObject({ code: 'RESTORE_UNDER_WAY' });
    await target.close({ keep: false });
    expect(leftOver(state)).toEqual([]);
    await state.close();
  });

  it('that was killed half-way is begun again by the next one', async () => {
    const state = await aState();
    await state.backUp();
    const target = new StateTarget(state.into, state);
    await target.begin();
    await target.putObject(
      'bucket-a/acme/of-another-point',
      state.repository.read((await state.backUp()).objects.list),
    );
    await target.close({ keep: true });
    expect(leftOver(state)).toEqual([`${basename(state.into)}.restoring`]);
    await state.close();
    await state.restore({ to: 'newest' }, { promote: true });
    expect(existsSync(join(state.into, 'objects', 'bucket-a', 'acme', 'of-another-point'))).toBe(false);
    expect(leftOver(state)).toEqual([basename(state.into)]);
  });

  it.each([
    ['has other bytes', flip],
    ['was emptied', (file: string) => writeFileSync(file, '')],
    ['was cut short', (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2))],
    ['is gone', (file: string) => rmSync(file)],
  ])(
    'F35, F41, F47: falls back to the point before when what only the newest one has %s',
    async (_, damage) => {
      const state = await aState();
      const good = await state.backUp();
      const before = new Set(globSync('pool/*/*', { cwd: state.folder }));
      await state.objects.put(`${state.model.dataUri}a.jsonl`, 'b'.repeat(300_000));
      await state.stores.tenants.remove('acme', 1);
      const bad = await state.backUp();
      const own = globSync('pool/*/*', { cwd: state.folder }).filter((name) => !before.has(name));
      expect(own.length).toBeGreaterThan(1);
      for (const name of own) damage(join(state.folder, name));
      const { manifest, passedOver } = await state.restore({ to: 'newest' });
      expect([manifest.id, passedOver.map(({ id }) => id)]).toEqual([good.id, [bad.id]]);
      await expect(state.restore({ id: bad.id })).rejects.toMatchObject({
        code: 'BACKUP_CORRUPT',
        exitCode: 4,
      });
      expect(leftOver(state)).toEqual([]);
      await state.close();
    },
  );

  it('F39: is refused for a point of other records', async () => {
    const [state, other] = [await aState(), await aState()];
    await state.backUp();
    const { id } = await other.backUp();
    const foreign = readFileSync(join(other.folder, 'points', `${id}.json`), 'utf8');
    writeFileSync(join(state.folder, 'points', `${id}.json`), foreign);
    await expect(state.restore({ id })).rejects.toMatchObject({ code: 'BACKUP_FOREIGN', exitCode: 3 });
    await state.close();
    await other.close();
  });

  it('F46: says how much room it needs before it writes anything', async () => {
    const state = await aState();
    const manifest = await state.backUp();
    const huge = { ...manifest, objects: { ...manifest.objects, bytes: 2 ** 52 } };
    writeFileSync(join(state.folder, 'points', `${manifest.id}.json`), manifestText(huge));
    const refused = await state.restore({ to: 'newest' }).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'DISK_FULL',
      details: { needed: expect.any(Number), free: expect.any(Number) },
    });
    expect(leftOver(state)).toEqual([]);
    await state.close();
  });
});
