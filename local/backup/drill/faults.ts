import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DrillFault } from '../../../lib/backup/drill.ts';
import { type Manifest, manifestText, pieceBytes } from '../../../lib/backup/manifest.ts';
import { contentOf, inPieces } from '../../../lib/operations/backup/content.ts';
import { FileBackupRepository } from '../file-repository.ts';
import type { Case, Ground } from './fault-case.ts';
import { type Called, callCommand, type DrillPlace, startCommand, startDrilled } from './processes.ts';
import type { RoundParts } from './round.ts';
import { stateCases } from './state-faults.ts';

/** Says why a fault cannot be provoked here. */
class NotHere extends Error {}

const pathOf = (repository: FileBackupRepository, sha256: string) =>
  join(repository.place, 'pool', sha256.slice(0, 2), sha256);

const pointFile = ({ place }: FileBackupRepository, id: string) => join(place, 'points', `${id}.json`);

function restoreNewest(into: DrillPlace): Promise<Called> {
  return callCommand(into, ['restore', '--to', 'newest']);
}

const piecesOf = ({ databases }: Manifest) =>
  databases.flatMap(({ pieces }) => pieces.map(({ sha256 }) => sha256));

/** Damages a piece of the newest point while it is restored; what has to be restored is the newest point without that piece. */
async function restoredWithout(
  ground: Ground,
  into: DrillPlace,
  damage: (file: string) => void,
): Promise<string | undefined> {
  const { repository, newest } = ground;
  const points = (await repository.points()).flatMap((point) =>
    'manifest' in point ? [point.manifest] : [],
  );
  for (const piece of piecesOf(newest)) {
    const whole = points.findLast((point) => !piecesOf(point).includes(piece));
    if (!whole) continue;
    const called = await withDamage(pathOf(repository, piece), damage, () => restoreNewest(into));
    return fellBack(called, { newest, before: whole });
  }
  throw new NotHere('all points have the same content');
}

/** Damages a file while `work` runs. */
async function withDamage<T>(
  file: string,
  damage: (file: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const content = readFileSync(file);
  try {
    damage(file);
    return await work();
  } finally {
    writeFileSync(file, content);
  }
}

function fellBack(
  { code, document, said }: Called,
  { newest, before }: Pick<Ground, 'newest' | 'before'>,
): string | undefined {
  const passedOver = (document['passedOver'] ?? []) as { readonly id: string }[];
  const { id } = (document['point'] ?? {}) as { readonly id?: string };
  if (code === 0 && id === before.id && passedOver[0]?.id === newest.id) return undefined;
  return `ended with ${code} and point ${id ?? 'none'}, ${passedOver.length} passed over: ${said.slice(0, 200)}`;
}

function refusedWith(expected: string, { code, document }: Called, into: DrillPlace): string | undefined {
  const { error } = document as { error?: { readonly code?: string } };
  if (code === 0 || error?.code !== expected) return `ended with ${code} and ${error?.code ?? 'no error'}`;
  return existsSync(into.stateDir) || existsSync(`${into.stateDir}.restoring`)
    ? 'something was left'
    : undefined;
}

/** A point that says it is whole, made of the newest one with `change` done to its store. */
async function forgedPoint(
  { repository, newest }: Ground,
  change: (db: DatabaseSync) => void,
): Promise<Manifest> {
  const store = newest.databases.find(({ name }) => name === 'store.db');
  if (!store) throw new NotHere('the newest point has no store');
  const file = join(repository.place, 'tmp', 'forged.db');
  writeFileSync(
    file,
    Buffer.concat(store.pieces.map(({ sha256 }) => readFileSync(pathOf(repository, sha256)))),
  );
  const db = new DatabaseSync(file);
  change(db);
  db.close();
  const whole = inPieces(contentOf(readFileSync(file)), pieceBytes);
  const pieces = [];
  for await (const bytes of whole.pieces) pieces.push(await repository.keep(bytes));
  const { live: _, ...tables } = store.tables;
  const forged = { ...store, sha256: whole.sha256(), bytes: statSync(file).size, pieces, tables };
  rmSync(file);
  const takenAt = new Date(Date.parse(newest.takenAt) + 1).toISOString();
  const databases = newest.databases.map((one) => (one.name === 'store.db' ? forged : one));
  return {
    ...newest,
    id: `${newest.id.slice(0, 25)}${newest.id.endsWith('Z') ? 'Y' : 'Z'}`,
    takenAt,
    databases,
  };
}

const cases: readonly Case[] = [
  {
    fault: 'F35',
    what: 'the newest point has another byte: the one before is restored',
    provoke: (ground, into) =>
      restoredWithout(ground, into, (file) => {
        const content = readFileSync(file);
        content[99] = (content[99] ?? 0) ^ 0xff;
        writeFileSync(file, content);
      }),
  },
  {
    fault: 'F35',
    what: 'the newest point has 0 bytes: the one before is restored',
    provoke: (ground, into) => restoredWithout(ground, into, (file) => truncateSync(file)),
  },
  {
    fault: 'F35',
    what: 'a point that calls itself whole lacks a table: it is passed over',
    provoke: async (ground, into) => {
      const forged = await forgedPoint(ground, (db) => db.exec('DROP TABLE live'));
      const file = pointFile(ground.repository, forged.id);
      writeFileSync(file, manifestText(forged));
      const called = await restoreNewest(into);
      rmSync(file);
      return fellBack(called, { ...ground, newest: forged, before: ground.newest });
    },
  },
  {
    fault: 'F39',
    what: 'a point of other records is refused',
    provoke: async ({ repository, newest }, into) => {
      const id = `${newest.id.slice(0, 25)}${newest.id.endsWith('X') ? 'W' : 'X'}`;
      const file = pointFile(repository, id);
      writeFileSync(file, manifestText({ ...newest, id, lineage: 'of somebody else' }));
      const called = await callCommand(into, ['restore', '--id', id]);
      rmSync(file);
      return refusedWith('BACKUP_FOREIGN', called, into);
    },
  },
  {
    fault: 'F39',
    what: 'a restore onto a state that is there is refused',
    provoke: async ({ parts }) => {
      const { code, document } = await restoreNewest(parts.place);
      const { error } = document as { error?: { readonly code?: string } };
      return code !== 0 && error?.code === 'RESTORE_TARGET_NOT_EMPTY' ? undefined : `ended with ${code}`;
    },
  },
  {
    fault: 'F41',
    what: 'an object of every point is gone: nothing is restored, and nothing is left',
    provoke: async ({ repository, newest }, into) => {
      const list = pathOf(repository, newest.objects.list.sha256);
      const [first = '{}'] = readFileSync(list, 'utf8').split('\n');
      const file = pathOf(repository, (JSON.parse(first) as { sha256: string }).sha256);
      const content = readFileSync(file);
      rmSync(file);
      const called = await callCommand(into, ['restore', '--id', newest.id]);
      writeFileSync(file, content);
      return refusedWith('BACKUP_CORRUPT', called, into);
    },
  },
  {
    fault: 'F44',
    what: 'a restore is killed half-way, and the same command succeeds afterwards',
    provoke: async (_, into) => {
      const child = startCommand(into, ['restore', '--to', 'newest']);
      const gone = new Promise((resolve) => child.once('close', resolve));
      while (!existsSync(`${into.stateDir}.restoring`) && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 1));
      child.kill('SIGKILL');
      await gone;
      if (existsSync(into.stateDir)) return 'the killed restore left a state directory';
      const { code, said } = await restoreNewest(into);
      return code === 0 ? undefined : `ended with ${code}: ${said.slice(0, 200)}`;
    },
  },
  {
    fault: 'F44',
    what: 'a control plane is killed in the middle of a backup: every point that is listed can be restored',
    provoke: async ({ parts, repository }) => {
      const drilled = await startDrilled(parts.place, 50);
      const halfWay = join(parts.place.stateDir, 'backup.tmp');
      const since = parts.clock.now();
      while (!existsSync(halfWay) && parts.clock.now() - since < 5_000)
        await new Promise((resolve) => setTimeout(resolve, 1));
      await drilled.kill();
      const points = await repository.points();
      const unreadable = points.filter((point) => 'fault' in point);
      if (unreadable.length > 0) return `${unreadable.length} points cannot be read`;
      const { code, said } = await callCommand(parts.place, ['backup', 'verify']);
      return code === 0 ? undefined : `the newest point: ${said.slice(0, 200)}`;
    },
  },
  {
    fault: 'F46',
    what: 'the disk is full half-way through a restore: it says so, and nothing is left',
    provoke: async ({ newest }, into) => {
      const folder = join(dirname(into.stateDir), 'small-disk');
      mkdirSync(folder);
      const size = newest.databases.reduce((sum, { bytes }) => sum + bytes, 0) + 65_536;
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
      if (mounted.status !== 0) throw new NotHere('a small file system can be mounted by root only');
      try {
        const place = { ...into, stateDir: join(folder, 'state') };
        return refusedWith('DISK_FULL', await restoreNewest(place), place);
      } finally {
        spawnSync('umount', [folder]);
      }
    },
  },
  {
    fault: 'F47',
    what: 'the manifest of the newest point is cut short: the one before is restored',
    provoke: async ({ repository, newest, before }, into) => {
      const file = pointFile(repository, newest.id);
      const called = await withDamage(
        file,
        (one) => truncateSync(one, 100),
        () => restoreNewest(into),
      );
      const { id } = (called.document['point'] ?? {}) as { readonly id?: string };
      return called.code === 0 && id === before.id
        ? undefined
        : `ended with ${called.code} and point ${id ?? 'none'}`;
    },
  },
];

async function outcomeOf(one: Case, ground: Ground, into: DrillPlace): Promise<DrillFault> {
  const { fault, what } = one;
  try {
    const wrong = await one.provoke(ground, into);
    return { fault, what, outcome: wrong === undefined ? 'held' : 'failed', detail: wrong ?? '' };
  } catch (error) {
    const detail = (error as Error).message;
    return { fault, what, outcome: error instanceof NotHere ? 'not run' : 'failed', detail };
  }
}

/** Provokes faults on the copy that was drilled, one after the other, each with a place of its own. */
export async function drillFaults(
  parts: RoundParts,
  { onFault, signal }: { readonly onFault: (fault: DrillFault) => void; readonly signal: AbortSignal },
): Promise<DrillFault[]> {
  const done: DrillFault[] = [];
  for (const [index, one] of [...cases, ...stateCases].entries()) {
    if (signal.aborted) break;
    const repository = new FileBackupRepository(parts.place.backups);
    const whole = (await repository.points()).flatMap((point) =>
      'manifest' in point ? [point.manifest] : [],
    );
    const [newest, before] = [whole.at(-1), whole.at(-2)];
    const folder = join(dirname(parts.place.stateDir), `fault-${index}`);
    mkdirSync(folder);
    const into = { ...parts.place, stateDir: join(folder, 'state') };
    const outcome: DrillFault =
      newest && before
        ? await outcomeOf(one, { parts, repository, newest, before }, into)
        : {
            fault: one.fault,
            what: one.what,
            outcome: 'not run',
            detail: 'the drill has left fewer than two points',
          };
    done.push(outcome);
    onFault(outcome);
  }
  return done;
}
