import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileObjectStore } from '../../../lib/files/file-object-store.ts';
import { openLocalStores } from '../../../local/stores/local-stores.ts';
import { liveHolder, openStateDirectory } from '../../../local/stores/state-directory.ts';
import { skippedForRoot } from '../../as-root.ts';
import { describeAuditLog } from '../../contract/audit-log.ts';
import { describeObjectStore } from '../../contract/object-store.ts';
import { describeReleaseRecords } from '../../contract/release-records.ts';
import { describeRunStore } from '../../contract/run-store.ts';
import { describeTenantStores } from '../../contract/tenant-stores.ts';
import { anAttempt } from '../../fixtures/records.ts';
import { freshDir } from '../asl/harness.ts';

describeRunStore('SQLite', async () => openLocalStores({ stateDir: freshDir() }));
describeTenantStores('SQLite', async () => openLocalStores({ stateDir: freshDir() }));

describeReleaseRecords('SQLite', async () => openLocalStores({ stateDir: freshDir() }).releases);
describeAuditLog('SQLite', async () => openLocalStores({ stateDir: freshDir() }));
describeObjectStore('files', async () => createFileObjectStore({ root: freshDir() }));

describe('task tokens at rest', () => {
  it('task tokens are nowhere in the file, which only its owner may read', async () => {
    const stateDir = freshDir();
    const stores = openLocalStores({ stateDir });
    await stores.runs.createAttempt(anAttempt({ taskToken: 'a-very-secret-token' }));
    stores.close();
    const files = readdirSync(stateDir).filter((name) => name.startsWith('store.db'));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files)
      expect(readFileSync(join(stateDir, name)).includes('a-very-secret-token')).toBe(false);
    expect(statSync(join(stateDir, 'store.db')).mode & 0o077).toBe(0);
    expect(statSync(join(stateDir, 'keys', 'token.key')).mode & 0o077).toBe(0);
    const again = openLocalStores({ stateDir });
    expect(await again.runs.getAttempt(anAttempt())).toMatchObject({ taskToken: 'a-very-secret-token' });
  });
});

describe('file objects', () => {
  it('file objects never follow a link out of the store', async () => {
    const root = freshDir();
    const outside = freshDir();
    writeFileSync(join(outside, 'secret'), 'x');
    mkdirSync(join(root, 'bucket-a'));
    symlinkSync(outside, join(root, 'bucket-a', 'way-out'));
    const store = createFileObjectStore({ root });
    await expect(store.get('s3://bucket-a/way-out/secret')).rejects.toMatchObject({
      code: 'OBJECT_URI_INVALID',
    });
    await expect(store.put('s3://bucket-a/way-out/new', 'x')).rejects.toMatchObject({
      code: 'OBJECT_URI_INVALID',
    });
  });
});

function inside(path: string, name: string, body: string): void {
  mkdirSync(path);
  writeFileSync(join(path, name), body);
}

describe('the state directory', () => {
  it('a state directory has one writer; a lock whose holder is dead is taken over', () => {
    const path = join(freshDir(), 'state');
    const first = openStateDirectory(path, 'write');
    expect(liveHolder(path)).toBe(process.pid);
    expect(() => openStateDirectory(path, 'write')).toThrow(
      expect.objectContaining({
        code: 'STATE_LOCKED',
        exitCode: 3,
        message: expect.stringContaining(String(process.pid)),
      }),
    );
    expect(openStateDirectory(path, 'read').path).toBe(path);
    first.release();
    writeFileSync(
      join(path, 'lock'),
      JSON.stringify({ pid: process.pid, start: 'another process with this pid' }),
    );
    openStateDirectory(path, 'write').release();
    writeFileSync(join(path, 'lock'), JSON.stringify({ pid: 4_000_000, start: '1' }));
    openStateDirectory(path, 'write').release();
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it.each([
    ['is not there (to read)', 'STATE_DIR_ABSENT', (path: string) => path, 'read'],
    ['is a file', 'STATE_DIR_NOT_A_FOLDER', (path: string) => writeFileSync(path, 'x'), 'write'],
    ['holds something else', 'STATE_DIR_FOREIGN', (path: string) => inside(path, 'thesis.doc', 'x'), 'write'],
    [
      'is of a newer layout',
      'STATE_DIR_NEWER',
      (path: string) => inside(path, 'state.json', '{"layout":99}'),
      'write',
    ],
    ['has a damaged marker', 'STATE_DIR_CORRUPT', (path: string) => inside(path, 'state.json', '{'), 'write'],
  ] as const)('a state directory that %s is refused with %s', (_, code, prepare, mode) => {
    const path = join(freshDir(), 'state');
    prepare(path);
    expect(() => openStateDirectory(path, mode)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(path) }),
    );
  });

  // Below /proc on Linux and below any file elsewhere: no folder can be made, whoever asks.
  it.each(['/proc/epsilon/state', '/dev/null/state'])('at %s is refused, and soon', (path) => {
    expect(() => openStateDirectory(path, 'write')).toThrow(
      expect.objectContaining({ code: 'STATE_DIR_UNWRITABLE', message: expect.stringContaining(path) }),
    );
  });

  it.skipIf(skippedForRoot('a state directory that may not be read'))(
    'that may not be read is refused',
    () => {
      const path = join(freshDir(), 'state');
      openStateDirectory(path, 'write').release();
      chmodSync(path, 0o000);
      expect(() => openStateDirectory(path, 'read')).toThrow(
        expect.objectContaining({ code: 'STATE_DIR_UNREADABLE' }),
      );
      chmodSync(path, 0o700);
    },
  );

  it.skipIf(skippedForRoot('a state directory that may not be written'))(
    'that may not be written is refused',
    () => {
      const path = freshDir();
      chmodSync(path, 0o500);
      expect(() => openStateDirectory(join(path, 'state'), 'write')).toThrow(
        expect.objectContaining({ code: 'STATE_DIR_UNWRITABLE' }),
      );
    },
  );
});
