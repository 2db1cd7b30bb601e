import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  backupThatNeverBegan,
  deadReceiver,
  isolated,
  missingTable,
  stoppedArchive,
  tornTail,
} from './ground-faults.ts';
import { heartbeatIsFoundAgain } from './heartbeat.ts';
import { folderFor } from './place.ts';
import type { Provoked } from './provoked.ts';
import { type RestoreRequest, restoreNewest } from './restore.ts';
import { archived, beat, clear, type Ground, inspect, pause, prepare } from './round.ts';
import type { Cluster } from './server.ts';

import { nextSegment } from './wal.ts';

interface Lost extends Ground {
  /** Heartbeats that are in the archive. */
  readonly beats: number;
}

/** Two backups with heartbeats before, between and after them, several segments, and then the loss of the cluster. */
async function lostCluster(): Promise<{ readonly lost: Lost; readonly provoked: Provoked }> {
  const ground = await prepare('archive', 20);
  beat(ground, 1, 100);
  await archived(ground);
  ground.repository.backUp();
  const provoked = await killedBackup(ground);
  for (const from of [101, 201, 301]) {
    beat(ground, from, from + 99);
    await archived(ground);
  }
  await ground.server.kill();
  rmSync(ground.cluster.data, { recursive: true, force: true });
  return { lost: { ...ground, beats: 400 }, provoked };
}

async function killedBackup({ repository }: Ground): Promise<Provoked> {
  const what = 'a backup is killed half-way: it is not listed, and the ones before it stay';
  const before = repository.backups().map(({ label }) => label);
  const child = repository.begin(['backup', '--type=full']);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await pause(400);
  child.kill('SIGKILL');
  await gone;
  const after = repository.backups().map(({ label }) => label);
  return {
    fault: 'F44',
    what,
    ...(before.join() === after.join() ? {} : { wrong: `${after.join()} are listed` }),
  };
}

function requestFor({ place, repository, systemId }: Lost, name: string): RestoreRequest {
  const folder = folderFor(join(place, name));
  const into = { data: join(folder, 'data'), socket: join(folder, 'socket') };
  return { repository, systemId, scratch: folderFor(join(folder, 'scratch')), into };
}

/** Restores, and says what is wrong with what came of it. */
async function restoresAll(
  lost: Lost,
  request: RestoreRequest,
  passedOver: number,
): Promise<string | undefined> {
  const restored = await restoreNewest(request);
  const { newest, faults } = inspect(restored.server, lost);
  await restored.server.kill();
  if (newest !== lost.beats) return `${newest} heartbeats of ${lost.beats}`;
  if (restored.passedOver.length !== passedOver)
    return `${restored.passedOver.length} backups were passed over`;
  return faults[0];
}

/** Restores, and expects to be told why that is impossible, and nothing to be left. */
async function refuses(request: RestoreRequest, why: string): Promise<string | undefined> {
  try {
    const { server } = await restoreNewest(request);
    await server.kill();
    return 'it was restored';
  } catch (error) {
    const { message } = error as Error;
    if (!message.includes(why)) return message;
    return existsSync(request.into.data) ? 'something was left' : undefined;
  }
}

/** Content with another byte in its middle. */
function flipped(content: Buffer): Buffer {
  const changed = Buffer.from(content);
  const middle = Math.floor(content.length / 2);
  changed[middle] = (content[middle] ?? 0) ^ 0xff;
  return changed;
}

/** A file with other content while `work` runs. */
async function withOther<T>(
  file: string,
  change: (content: Buffer) => Buffer,
  work: () => Promise<T>,
): Promise<T> {
  const content = readFileSync(file);
  writeFileSync(file, change(content));
  try {
    return await work();
  } finally {
    writeFileSync(file, content);
  }
}

function fileOfNewest({ repository }: Lost): string {
  const label = repository.backups().at(-1)?.label ?? '';
  const folder = join(repository.folder, 'backup', 'main', label, 'pg_data', 'base');
  const names = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.gz'));
  const largest = names.sort(
    (a, b) => readFileSync(join(folder, b)).length - readFileSync(join(folder, a)).length,
  )[0];
  return join(folder, largest ?? '');
}

const cases: readonly {
  readonly fault: string;
  readonly what: string;
  provoke(lost: Lost, request: RestoreRequest): Promise<string | undefined>;
}[] = [
  {
    fault: 'F35',
    what: 'the newest backup is damaged: the one before it is restored, to the same moment',
    provoke: (lost, request) => withOther(fileOfNewest(lost), flipped, () => restoresAll(lost, request, 1)),
  },
  {
    fault: 'F35',
    what: 'a file of the newest backup has no bytes: the one before it is restored, to the same moment',
    provoke: (lost, request) =>
      withOther(
        fileOfNewest(lost),
        () => Buffer.alloc(0),
        () => restoresAll(lost, request, 1),
      ),
  },
  {
    fault: 'F47',
    what: 'the description of all backups is damaged: its copy is taken, and everything is restored',
    provoke: (lost, request) =>
      withOther(lost.repository.descriptions()[0] ?? '', flipped, () => restoresAll(lost, request, 0)),
  },
  {
    fault: 'F47',
    what: 'the description of all backups and its copy are damaged: nothing is taken for a repository',
    provoke: ({ repository }, request) => {
      const [first = '', copy = ''] = repository.descriptions();
      return withOther(first, flipped, () =>
        withOther(copy, flipped, () => refuses(request, 'cannot be read')),
      );
    },
  },
  {
    fault: 'F37',
    what: 'a segment of the log is missing: it is named, and nothing is restored',
    provoke: async ({ repository }, request) => {
      const last = repository.backups().at(-1)?.lastSegment ?? '';
      const file = repository.segmentFile(nextSegment(last));
      const content = readFileSync(file);
      rmSync(file);
      const wrong = await refuses(request, `segment ${nextSegment(last)} is missing`);
      writeFileSync(file, content);
      return wrong;
    },
  },
  {
    fault: 'F37',
    what: 'a segment of the log is damaged: nothing is taken for restored that is not',
    provoke: ({ repository }, request) => {
      const newest = repository.segments().at(-1) ?? '';
      const file = repository.segmentFile(newest);
      return withOther(file, flipped, () => refuses(request, ''));
    },
  },
  {
    fault: 'F39',
    what: 'the repository is of another system: refused',
    provoke: (_, request) => refuses({ ...request, systemId: '7000000000000000001' }, 'refused'),
  },
  {
    fault: 'F46',
    what: 'the disk is full half-way through a restore: it says so, and nothing is left',
    provoke: async (_, request) => {
      const folder = join(request.scratch, 'small');
      mkdirSync(folder);
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder]).status !== 0)
        return 'not provoked: a small file system can be mounted by root only';
      try {
        folderFor(folder);
        const into: Cluster = { data: join(folder, 'data'), socket: request.into.socket };
        return await refuses({ ...request, into }, 'No space left');
      } finally {
        spawnSync('umount', [folder]);
      }
    },
  },
  {
    fault: 'F44',
    what: 'a restore is killed half-way, and the next one restores everything',
    provoke: async (lost, request) => {
      folderFor(request.into.data);
      const child = lost.repository.begin(['restore', `--pg1-path=${request.into.data}`]);
      const gone = new Promise((resolve) => child.once('exit', resolve));
      await pause(250);
      child.kill('SIGKILL');
      await gone;
      return restoresAll(lost, request, 0);
    },
  },
];

/** Provokes faults on one lost cluster, and then those that need one of their own. */
export async function provokeFaults(tell: (provoked: Provoked) => void): Promise<Provoked[]> {
  const { lost, provoked } = await lostCluster();
  const done: Provoked[] = [provoked];
  tell(provoked);
  try {
    for (const [index, { fault, what, provoke }] of cases.entries()) {
      const wrong = await provoke(lost, requestFor(lost, `fault-${index}`)).catch((error: unknown) =>
        String(error),
      );
      const one = { fault, what, ...(wrong === undefined ? {} : { wrong }) };
      done.push(one);
      tell(one);
    }
  } finally {
    await clear(lost);
  }
  for (const provoke of [
    backupThatNeverBegan,
    stoppedArchive,
    deadReceiver,
    tornTail,
    missingTable,
    isolated,
    heartbeatIsFoundAgain,
  ]) {
    const one = await provoke();
    done.push(one);
    tell(one);
  }
  return done;
}
