import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderFor, program, run } from './place.ts';
import { type RestoreRequest, restoreNewest } from './restore.ts';
import { archiveTimeout, clear, type Ground, inspect, prepare } from './round.ts';
import { ask, type Cluster } from './server.ts';
import { nextSegment } from './wal.ts';

/** A fault that was provoked; `wrong` is undefined when it held. */
export interface Provoked {
  readonly fault: string;
  readonly what: string;
  readonly wrong?: string;
}

interface Lost extends Ground {
  /** Heartbeats that are in the archive. */
  readonly beats: number;
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function archived({ server, repository }: Ground): Promise<void> {
  const [segment = ''] = ask(server, 'SELECT pg_walfile_name(pg_switch_wal())');
  for (let tries = 0; tries < 200 && !repository.segments().includes(segment); tries += 1) await pause(100);
}

function beat(ground: Ground, from: number, to: number): void {
  ask(
    ground.server,
    `INSERT INTO heartbeat SELECT i, clock_timestamp() FROM generate_series(${from}, ${to}) AS i`,
  );
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

/** A file of a backup with another byte while `work` runs. */
async function withOtherByte<T>(file: string, work: () => Promise<T>): Promise<T> {
  const content = readFileSync(file);
  const changed = Buffer.from(content);
  changed[Math.floor(content.length / 2)] = (content[Math.floor(content.length / 2)] ?? 0) ^ 0xff;
  writeFileSync(file, changed);
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
    provoke: (lost, request) => withOtherByte(fileOfNewest(lost), () => restoresAll(lost, request, 1)),
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
      return withOtherByte(file, async () => {
        const wrong = await refuses(request, '');
        return wrong;
      });
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
        return undefined;
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

/** A receiver that dies: commits wait for it, and its absence shows at once. */
async function deadReceiver(): Promise<Provoked> {
  const what = 'the receiver of the log dies: no commit is acknowledged, and its absence shows at once';
  const ground = await prepare('streaming', 1);
  try {
    beat(ground, 1, 10);
    await ground.stopReceiver();
    const args = ['-X', '-h', ground.server.socket, '-U', 'postgres', '-d', 'postgres'];
    const { code, out } = run(program('psql'), args, 'INSERT INTO heartbeat VALUES (11, now());', 3_000);
    const [connected] = ask(
      ground.server,
      "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'receiver'",
    );
    if (connected !== '0') return { fault: 'F38', what, wrong: `${connected} receivers are connected` };
    return { fault: 'F38', what, ...(code !== 0 && out === '' ? {} : { wrong: `acknowledged: ${out}` }) };
  } finally {
    await clear(ground);
  }
}

/** Provokes every fault on one lost cluster, and one on a cluster that runs. */
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
  const last = await deadReceiver();
  tell(last);
  return [...done, last];
}

/** Milliseconds that a copy in an archive may be behind. */
export const archiveRpoMs = (archiveTimeout + 5) * 1_000;
