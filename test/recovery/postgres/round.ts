import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { folderFor, freshPlace, program, run, runsAs } from './place.ts';
import { Repository } from './repository.ts';
import { restoreNewest } from './restore.ts';
import { ask, type Cluster, initCluster, type Server, startServer } from './server.ts';
import { type Acknowledged, beginWriting } from './writer.ts';

/** How the log leaves the host. */
export type Mode = 'archive' | 'streaming';

/** Seconds after which a segment that is not full is archived. */
export const archiveTimeout = 5;

/** A cluster with its repository, ready to be lost. */
export interface Ground {
  readonly place: string;
  readonly cluster: Cluster;
  readonly server: Server;
  readonly repository: Repository;
  readonly systemId: string;
  readonly receiver?: string;
  /** Sum over the rows that the cluster was filled with. */
  readonly filled: string;
  readonly bytes: number;
  stopReceiver(): Promise<void>;
}

const settings = (repository: Repository) => [
  'wal_level = replica',
  'archive_mode = on',
  `archive_command = '${repository.archiveCommand}'`,
  `archive_timeout = ${archiveTimeout}`,
  'max_wal_senders = 5',
  'shared_buffers = 128MB',
];

/** Waits. */
export const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Rows of 1 kB each. */
function fill(server: Server, megabytes: number): string {
  ask(
    server,
    `CREATE TABLE heartbeat (n bigint PRIMARY KEY, at timestamptz NOT NULL);
     CREATE TABLE filler (id bigint PRIMARY KEY, amount bigint NOT NULL, body text NOT NULL);
     INSERT INTO filler SELECT i, i * 7 % 1000, repeat(md5(i::text), 30) FROM generate_series(1, ${megabytes * 1_000}) AS i;
     CHECKPOINT;`,
  );
  return ask(server, 'SELECT count(*), sum(amount) FROM filler')[0] ?? '';
}

/** Streams the log to another place; commits wait for it. */
async function startReceiver(server: Server, folder: string): Promise<() => Promise<void>> {
  folderFor(folder);
  const connection = `host=${server.socket} user=postgres application_name=receiver`;
  const args = ['-d', connection, '-D', folder, '--synchronous', '--slot=receiver', '--no-loop'];
  ask(server, "SELECT pg_create_physical_replication_slot('receiver', true)");
  const child = spawn(program('pg_receivewal'), args, { ...runsAs, cwd: '/', stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (let tries = 0; tries < 200; tries += 1) {
    if (ask(server, "SELECT 1 FROM pg_stat_replication WHERE application_name = 'receiver'").length > 0)
      break;
    await pause(50);
  }
  ask(server, "ALTER SYSTEM SET synchronous_standby_names = 'receiver'");
  ask(server, 'SELECT pg_reload_conf()');
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

/** Makes a cluster of so many megabytes, and one full backup of it. */
export async function prepare(mode: Mode, megabytes: number): Promise<Ground> {
  const place = freshPlace();
  const cluster = { data: join(place, 'data'), socket: join(place, 'socket') };
  const repository = new Repository(place, cluster);
  initCluster(cluster, settings(repository));
  const server = await startServer(cluster);
  repository.create();
  const receiver = mode === 'streaming' ? join(place, 'receiver') : undefined;
  const stopReceiver = receiver === undefined ? async () => {} : await startReceiver(server, receiver);
  const filled = fill(server, megabytes);
  repository.backUp();
  const [bytes = '0'] = ask(server, "SELECT pg_database_size('postgres')");
  const systemId = repository.systemId();
  return {
    place,
    cluster,
    server,
    repository,
    systemId,
    filled,
    bytes: Number(bytes),
    stopReceiver,
    ...(receiver === undefined ? {} : { receiver }),
  };
}

/** Removes everything of a ground. */
export async function clear({ place, server, stopReceiver }: Ground): Promise<void> {
  await server.kill();
  await stopReceiver();
  rmSync(place, { recursive: true, force: true });
}

/** Ends the present segment, and waits until it is in the archive. */
export async function archived({ server, repository }: Ground): Promise<void> {
  const [segment = ''] = ask(server, 'SELECT pg_walfile_name(pg_switch_wal())');
  for (let tries = 0; tries < 200 && !repository.segments().includes(segment); tries += 1) await pause(100);
}

/** Writes heartbeats, in one commit. */
export function beat(ground: Ground, from: number, to: number): void {
  ask(
    ground.server,
    `INSERT INTO heartbeat SELECT i, clock_timestamp() FROM generate_series(${from}, ${to}) AS i`,
  );
}

/** What a round measured. */
export interface Round {
  readonly mode: Mode;
  readonly acknowledged: number;
  readonly lost: number;
  readonly rpoMs: number;
  /** From the kill to a write that was read back. */
  readonly rtoMs: number;
  readonly bytes: number;
  readonly faults: readonly string[];
}

/** Whether every table and index of a cluster can be read and its pages agree with one another; what is wrong when not. */
function checkPages(server: Server): string[] {
  const { code, out, err } = run(program('pg_amcheck'), [
    '--install-missing',
    '--heapallindexed',
    '-h',
    server.socket,
    '-U',
    'postgres',
    '-d',
    'postgres',
  ]);
  return code === 0 ? [] : [`pg_amcheck ended with ${code}: ${(out + err).trim().slice(0, 300)}`];
}

/** What is wrong with a restored cluster; it must hold the first heartbeats without a gap, and everything it was filled with. */
export function inspect(
  server: Server,
  { filled }: Pick<Ground, 'filled'>,
): { readonly newest: number; readonly faults: string[] } {
  const [beats = ''] = ask(
    server,
    'SELECT count(*), coalesce(max(n), 0), coalesce(min(n), 0) FROM heartbeat',
  );
  const [count = 0, newest = 0, oldest = 0] = beats.split('|').map(Number);
  const faults = [];
  if (count === 0 || count !== newest || oldest !== 1) faults.push(`heartbeats have a gap: ${beats}`);
  // A table that is not there is a fault of what was restored, not of the question.
  const [there] = ask(server, "SELECT to_regclass('filler') IS NOT NULL");
  const [rows] = there === 't' ? ask(server, 'SELECT count(*), sum(amount) FROM filler') : ['no table'];
  if (rows !== filled) faults.push(`${rows} was restored, ${filled} was there`);
  return { newest, faults };
}

function verifiedWrite(server: Server): void {
  ask(server, 'INSERT INTO heartbeat (n, at) VALUES (1000000000, now())');
  const [read] = ask(server, 'SELECT n FROM heartbeat WHERE n = 1000000000');
  if (read !== '1000000000') throw new Error(`the write was read back as ${read}`);
}

function lossOf(entries: readonly Acknowledged[], newest: number, killedAt: number) {
  const lost = entries.filter(({ n }) => n > newest).length;
  const survivor = entries.findLast(({ n }) => n <= newest);
  return {
    acknowledged: entries.length,
    lost,
    rpoMs: lost === 0 ? 0 : killedAt - (survivor?.at ?? entries[0]?.at ?? killedAt),
  };
}

/** Writes, kills the server with everything it runs, removes its data, restores, and compares with the ledger. */
export async function drillRound(mode: Mode, megabytes: number, writeMs: number): Promise<Round> {
  const ground = await prepare(mode, megabytes);
  const { place, cluster, server, repository, systemId, receiver } = ground;
  const outside = join(place, 'outside');
  mkdirSync(outside);
  try {
    const writer = beginWriting(cluster, join(outside, 'ledger.jsonl'), 20);
    await pause(writeMs);
    const killedAt = Date.now();
    await server.kill();
    await writer.stop();
    await ground.stopReceiver();
    rmSync(cluster.data, { recursive: true, force: true });
    const entries = writer.acknowledged().filter(({ at }) => at <= killedAt);
    const into = { data: join(place, 'restored'), socket: join(place, 'restored-socket') };
    const scratch = folderFor(join(place, 'scratch'));
    const request = { repository, systemId, scratch, into, ...(receiver === undefined ? {} : { receiver }) };
    const restored = await restoreNewest(request);
    const { newest, faults } = inspect(restored.server, ground);
    verifiedWrite(restored.server);
    const rtoMs = Date.now() - killedAt;
    const pages = checkPages(restored.server);
    await restored.server.kill();
    return {
      mode,
      ...lossOf(entries, newest, killedAt),
      rtoMs,
      bytes: ground.bytes,
      faults: [...faults, ...pages],
    };
  } finally {
    await clear(ground);
  }
}
