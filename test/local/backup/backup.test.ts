import {
  existsSync,
  globSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { listText } from '../../../lib/backup/manifest.ts';
import { runBackup } from '../../../lib/operations/backup/run-backup.ts';
import { copyDatabases } from '../../../local/backup/cut-databases.ts';
import { FileBackupRepository } from '../../../local/backup/file-repository.ts';
import { repositoryFolder } from '../../../local/backup/repository-folder.ts';
import { stateBackupSource } from '../../../local/backup/state-source.ts';
import { freshDir } from '../../fresh-dir.ts';
import { aState } from './a-state.ts';

const filesOf = (folder: string) =>
  globSync('**/*', { cwd: folder }).filter((name) => statSync(join(folder, name)).isFile());
/** The piece with the most bytes: that of the largest object. */
function largestPiece(folder: string): string {
  const files = filesOf(join(folder, 'pool')).map((name) => join(folder, 'pool', name));
  return files.sort((a, b) => statSync(b).size - statSync(a).size)[0] ?? '';
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Writes one row into each database in one turn of the event loop, again and again, until it is told to stop. */
async function writePairs(folder: string, work: () => Promise<void>): Promise<void> {
  const databases = ['engine.db', 'store.db'].map((name) => new DatabaseSync(join(folder, name)));
  let done = false;
  const writing = (async () => {
    for (let n = 0; !done; n += 1) {
      for (const db of databases) db.prepare('INSERT INTO pairs VALUES (?, ?)').run(n, 'x'.repeat(200));
      await turn();
    }
  })();
  await work();
  done = true;
  await writing;
  for (const db of databases) db.close();
}

describe('the cut', () => {
  it('holds both databases of the same moment while both are written all the time', async () => {
    const folder = freshDir();
    for (const name of ['engine.db', 'store.db']) {
      const db = new DatabaseSync(join(folder, name));
      db.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE pairs (n INTEGER, filler TEXT)',
      );
      for (let n = 0; n < 3_000; n += 1)
        db.prepare('INSERT INTO pairs VALUES (?, ?)').run(-n, 'x'.repeat(200));
      db.close();
    }
    const seen: number[][] = [];
    await writePairs(folder, async () => {
      for (let round = 0; round < 8; round += 1) {
        const to = freshDir();
        await turn();
        await copyDatabases(folder, to);
        seen.push(
          ['engine.db', 'store.db'].map((name) => {
            const db = new DatabaseSync(join(to, name));
            const newest = Number(db.prepare('SELECT max(n) AS n FROM pairs').get()?.['n']);
            db.close();
            return newest;
          }),
        );
      }
    });
    expect(seen.filter(([engine, store]) => engine !== store)).toEqual([]);
    expect(new Set(seen.map(([engine]) => engine)).size).toBeGreaterThan(1);
  });
});

describe('a backup', () => {
  it('keeps databases and objects, and no secret: no key, no token of the control API, no task token that is waited for', async () => {
    const state = await aState();
    writeFileSync(state.state.tokenFile, 'the-token-of-the-control-api');
    const manifest = await state.backUp();
    expect(manifest).toMatchObject({
      epoch: 0,
      sameDisk: true,
      source: state.path,
      pointers: { count: 5, dangling: [] },
    });
    expect(manifest.objects.count).toBe(5);
    const key = readFileSync(join(state.path, 'keys', 'token.key'));
    const kept = filesOf(state.folder).map((name) => readFileSync(join(state.folder, name)));
    const isIn = (secret: string | Buffer) => kept.some((content) => content.includes(secret));
    expect([state.token(), 'the-token-of-the-control-api', key].map(isIn)).toEqual([false, false, false]);
    // The same tokens are in the state itself, where they are needed.
    expect(readFileSync(join(state.path, 'engine.db-wal')).includes(state.token())).toBe(true);
    await state.engine.sendTaskSuccess(state.token(), {});
    for (const name of filesOf(state.folder))
      expect(statSync(join(state.folder, name)).mode & 0o077, name).toBe(0);
    expect(existsSync(join(state.path, 'backup.tmp'))).toBe(false);
    await state.close();
  });

  it('copies again only what has changed since the one before', async () => {
    const state = await aState();
    await state.backUp();
    const before = new Set(filesOf(state.folder));
    await state.objects.put('s3://bucket-a/acme/documents/new.txt', 'a new object');
    const second = await state.backUp();
    const added = filesOf(state.folder).filter((name) => !before.has(name));
    const objects = second.objects.count;
    expect(objects).toBe(6);
    // The new object, the new list, the new manifest, and nothing of the databases, in which nothing was written.
    expect(added).toHaveLength(3);
    await state.close();
  });

  it('F35: keeps an object again whose copy has vanished or has another length', async () => {
    const state = await aState();
    await state.backUp();
    const largest = filesOf(join(state.folder, 'pool')).map((name) => join(state.folder, 'pool', name));
    const [one] = largest.filter((file) => statSync(file).size === 300_000);
    writeFileSync(one ?? '', '');
    const { id } = await state.backUp();
    expect(statSync(one ?? '').size).toBe(300_000);
    await state.restore({ id });
    await state.close();
  });

  it('is never listed when it was killed before its manifest, and what it left is taken up or removed', async () => {
    const state = await aState();
    const dying = new FileBackupRepository(state.folder);
    dying.commit = async () => {
      throw new Error('killed');
    };
    dying.abandon = async () => {};
    const { clock, ids } = state;
    const killed = runBackup({
      source: stateBackupSource(state.state, clock),
      repository: dying,
      clock,
      ids,
    });
    await expect(killed).rejects.toThrow('killed');
    expect(filesOf(join(state.folder, 'pool')).length).toBeGreaterThan(5);
    writeFileSync(join(state.folder, 'tmp', 'half'), 'half a piece');
    writeFileSync(join(state.folder, 'points', '01JDK5ZQ8B8V9W3N4T5R6S7T00.json.part'), '{');
    expect(await state.repository.points()).toEqual([]);
    await state.backUp();
    expect(await state.repository.points()).toHaveLength(1);
    expect(readdirSync(join(state.folder, 'tmp'))).toEqual([]);
    await state.close();
  });

  it('that fails removes what it had kept', async () => {
    const state = await aState();
    await state.backUp();
    const before = filesOf(state.folder).sort();
    await state.objects.put('s3://bucket-a/acme/x', 'x');
    const failing = new FileBackupRepository(state.folder);
    failing.commit = async () => {
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    };
    const { clock, ids } = state;
    await expect(
      runBackup({ source: stateBackupSource(state.state, clock), repository: failing, clock, ids }),
    ).rejects.toThrow('no space left');
    expect(filesOf(state.folder).sort()).toEqual(before);
    await state.close();
  });

  it('F46: is refused, with nothing copied, where the control plane would be left without room', async () => {
    const { state, clock, folder, close } = await aState();
    await close();
    // A file as large as the disk, of which nothing is written.
    writeFileSync(join(state.path, 'engine.db-wal'), '');
    truncateSync(join(state.path, 'engine.db-wal'), 2 ** 42);
    const made = stateBackupSource(state, clock).withCut(async () => 'a cut');
    await expect(made).rejects.toMatchObject({ code: 'DISK_FULL', details: { free: expect.any(Number) } });
    expect([existsSync(join(state.path, 'backup.tmp')), existsSync(folder)]).toEqual([false, false]);
  });

  it('F35: is refused when the copy of a database lacks a table', async () => {
    const state = await aState();
    state.stores.close();
    const db = new DatabaseSync(join(state.path, 'store.db'));
    db.exec('DROP TABLE live');
    db.exec('CREATE VIEW live AS SELECT 1 AS body WHERE 0');
    db.close();
    await expect(state.backUp()).rejects.toMatchObject({
      code: 'BACKUP_INCOMPLETE',
      message: expect.stringContaining('lacks live'),
    });
    expect(await state.repository.points()).toEqual([]);
  });

  it('F41: names the objects of models that the state itself lacks, and can still be restored', async () => {
    const state = await aState();
    await state.objects.delete(state.model.modelUri);
    const manifest = await state.backUp();
    expect(manifest.pointers.dangling).toEqual([state.model.modelUri.replace('s3://', '')]);
    const { verification } = await state.restore({ id: manifest.id });
    expect(verification.warnings).toHaveLength(1);
    await state.close();
  });
});

describe('a repository', () => {
  it('F39: takes no backup of other records, and is no folder of something else', async () => {
    const [first, second] = [await aState(), await aState()];
    await first.backUp();
    const shared = new FileBackupRepository(first.folder);
    const { state, clock, ids } = second;
    const make = (repository: FileBackupRepository) =>
      runBackup({ source: stateBackupSource(state, clock), repository, clock, ids });
    await expect(make(shared)).rejects.toMatchObject({ code: 'BACKUP_DIR_FOREIGN', exitCode: 3 });
    const home = freshDir();
    writeFileSync(join(home, 'letter.txt'), 'dear');
    await expect(make(new FileBackupRepository(home))).rejects.toMatchObject({ code: 'BACKUP_DIR_FOREIGN' });
    expect(readdirSync(home)).toEqual(['letter.txt']);
    await expect(make(new FileBackupRepository(join(home, 'letter.txt')))).rejects.toMatchObject({
      code: 'BACKUP_DIR_FOREIGN',
    });
    await first.close();
    await second.close();
  });

  it('that was killed while it was made is taken up by the next backup', async () => {
    const state = await aState();
    const dying = new FileBackupRepository(state.folder);
    dying.newest = async () => {
      throw new Error('killed');
    };
    const { clock, ids } = state;
    const killed = runBackup({
      source: stateBackupSource(state.state, clock),
      repository: dying,
      clock,
      ids,
    });
    await expect(killed).rejects.toThrow('killed');
    for (const name of ['pool', 'points', 'tmp']) rmSync(join(state.folder, name), { recursive: true });
    expect(await state.repository.points()).toEqual([]);
    await state.backUp();
    await state.close();
  });

  it('F47: says of each damaged point why it cannot be read, and lists the others', async () => {
    const state = await aState();
    const [good, bad, empty] = [await state.backUp(), await state.backUp(), await state.backUp()];
    const fileOf = ({ id }: { id: string }) => join(state.folder, 'points', `${id}.json`);
    writeFileSync(fileOf(bad), readFileSync(fileOf(bad), 'utf8').replace('"epoch":0', '"epoch":9'));
    writeFileSync(fileOf(empty), '');
    const points = await state.repository.points();
    expect(points.map((point) => ('fault' in point ? point.fault : point.id))).toEqual([
      good.id,
      expect.stringContaining('does not match its checksum'),
      expect.stringContaining('is empty'),
    ]);
    await state.close();
  });

  it('content is read back to its last byte or refused', async () => {
    const state = await aState();
    const { objects } = await state.backUp();
    const read = () => Array.fromAsync(state.repository.read(objects.list));
    expect(Buffer.concat(await read()).toString()).toContain('"key":"bucket-a/acme');
    const file = join(state.folder, 'pool', objects.list.sha256.slice(0, 2), objects.list.sha256);
    const content = readFileSync(file);
    content[3] = 0;
    writeFileSync(file, content);
    await expect(read()).rejects.toMatchObject({ code: 'BACKUP_CORRUPT' });
    expect(existsSync(file)).toBe(false);
    await expect(read()).rejects.toMatchObject({ code: 'BACKUP_CORRUPT' });
    await state.close();
  });

  it('F35: heals: content that was found damaged is kept again by the next backup, for the points before as well', async () => {
    const state = await aState();
    const { id } = await state.backUp();
    const file = largestPiece(state.folder);
    writeFileSync(file, 'b'.repeat(statSync(file).size));
    await expect(state.restore({ id })).rejects.toMatchObject({ code: 'BACKUP_CORRUPT' });
    await state.backUp();
    await state.restore({ id });
    await state.close();
  });

  it('is beside the state directory unless another folder is named, and never inside it or around it', () => {
    const settings = { directory: '' };
    expect(repositoryFolder('/tmp/a/state', settings)).toBe('/tmp/a/state-backups');
    expect(repositoryFolder('/tmp/a/state', { directory: 'copies' })).toBe('/tmp/a/copies');
    expect(repositoryFolder('/tmp/a/state', { directory: '/mnt/copies' })).toBe('/mnt/copies');
    expect(repositoryFolder('/tmp/a/state', settings, '/mnt/other')).toBe('/mnt/other');
    for (const folder of ['/tmp/a/state', '/tmp/a/state/backups', '/tmp/a', '/'])
      expect(() => repositoryFolder('/tmp/a/state', settings, folder), folder).toThrow(
        /BACKUP_DIR_INSIDE|would be lost/,
      );
    expect(listText([])).toBe('');
  });
});
