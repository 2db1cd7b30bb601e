import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { folderFor, own, program, run } from './place.ts';
import type { ListedBackup, Repository } from './repository.ts';
import { ask, type Cluster, type Server, startServer } from './server.ts';
import { completeFrom, lastRecord, placeOf, SegmentMissing } from './wal.ts';

/** What is restored, from where to where. */
export interface RestoreRequest {
  readonly repository: Repository;
  /** Folder of a receiver that streamed the log, with the segment that was not full yet. */
  readonly receiver?: string;
  /** Identifier of the system that is expected. */
  readonly systemId: string;
  /** A folder for what the restore works with. */
  readonly scratch: string;
  readonly into: Cluster;
  /** Place in the log to restore to; the newest of the complete log when it is absent. */
  readonly to?: string;
}

/** A cluster that was restored to a target and reached it. */
export interface Restored {
  readonly server: Server;
  readonly backup: string;
  readonly target: string;
  /** Newer backups that could not be restored. */
  readonly passedOver: readonly string[];
}

/** Bytes below which a disk counts as full. */
const leastFree = 1_048_576;

const plain = /^[0-9A-F]{24}$/;

/** Segments that a receiver has; the one that is not full yet counts as far as it goes. */
function received(receiver: string | undefined): string[] {
  if (receiver === undefined || !existsSync(receiver)) return [];
  return readdirSync(receiver)
    .map((name) => name.replace(/\.partial$/, ''))
    .filter((name) => plain.test(name));
}

/** Puts a segment's file into a folder, from wherever it is. */
function fetchSegment(
  { repository, receiver, scratch }: RestoreRequest,
  segment: string,
  archived: ReadonlySet<string>,
): void {
  const file = join(scratch, segment);
  if (archived.has(segment)) {
    writeFileSync(file, repository.readSegment(segment));
    own(file);
    return;
  }
  const from = [join(receiver ?? '', segment), join(receiver ?? '', `${segment}.partial`)].find(existsSync);
  if (from === undefined) throw new SegmentMissing(segment);
  copyFileSync(from, file);
  own(file);
}

/** The newest place in a complete log: an explicit target, which can be proven to be reached. */
function targetOf(request: RestoreRequest, chain: readonly string[], archived: ReadonlySet<string>): string {
  for (const segment of chain.toReversed()) {
    fetchSegment(request, segment, archived);
    const lsn = lastRecord(request.scratch, segment);
    if (lsn !== undefined) return lsn;
  }
  throw new Error('the log holds no record');
}

function fill({ repository, receiver, into }: RestoreRequest, backup: ListedBackup, target: string): void {
  rmSync(into.data, { recursive: true, force: true });
  folderFor(into.data);
  const { code, err } = repository.call([
    'restore',
    `--set=${backup.label}`,
    `--pg1-path=${into.data}`,
    '--type=lsn',
    `--target=${target}`,
    '--target-action=promote',
    `--recovery-option=restore_command=${repository.restoreCommand(into.data, receiver)}`,
  ]);
  const { bavail, bsize } = statfsSync(into.data);
  // pgBackRest names the file that it could not write, but not why.
  if (code !== 0 && bavail * bsize < leastFree)
    throw new Error(`No space left for ${into.data}: ${err.trim().slice(-200)}`);
  if (code !== 0) throw new Error(`pgbackrest restore ended with ${code}: ${err.trim().slice(-600)}`);
  // The restored cluster archives into no repository of the lost one, and waits for none of its receivers.
  const settings = ["archive_mode = 'off'", "synchronous_standby_names = ''", ''];
  appendFileSync(join(into.data, 'postgresql.auto.conf'), settings.join('\n'));
}

function systemIdIn({ data }: Cluster): string {
  return /system identifier:\s+(\d+)/.exec(run(program('pg_controldata'), [data]).out)?.[1] ?? 'none';
}

async function restoreFrom(
  request: RestoreRequest,
  backup: ListedBackup,
): Promise<Omit<Restored, 'passedOver'>> {
  const archived = new Set(request.repository.segments());
  const chain = completeFrom(backup.firstSegment, [...archived, ...received(request.receiver)]);
  const newest = targetOf(request, chain, archived);
  if (request.to !== undefined && placeOf(request.to) > placeOf(newest))
    throw new Error(`${request.to} is after the newest place of the log, ${newest}`);
  const target = request.to ?? newest;
  fill(request, backup, target);
  const restored = systemIdIn(request.into);
  if (restored !== request.systemId)
    throw new Error(`system ${restored} was restored, ${request.systemId} was expected`);
  const server = await startServer(request.into);
  const [reached = '0/0'] = ask(server, 'SELECT pg_last_wal_replay_lsn()');
  if (placeOf(reached) >= placeOf(target)) return { server, backup: backup.label, target };
  await server.kill();
  throw new Error(`recovery ended at ${reached}, before its target ${target}`);
}

/**
 * Restores the newest backup that can be restored to a place of a complete log, the newest where none is named. A gap in the log stops it: an older backup
 * has the same gap. Nothing is left where it fails.
 */
export async function restoreNewest(request: RestoreRequest): Promise<Restored> {
  const { repository, systemId, into } = request;
  const kept = repository.systemId();
  if (kept !== systemId)
    throw new Error(`the repository is of system ${kept}, ${systemId} was expected: refused`);
  const passedOver: string[] = [];
  const candidates = repository.backups().toReversed();
  for (const [index, backup] of candidates.entries()) {
    try {
      return { ...(await restoreFrom(request, backup)), passedOver };
    } catch (error) {
      rmSync(into.data, { recursive: true, force: true });
      if (error instanceof SegmentMissing || index === candidates.length - 1) throw error;
      passedOver.push(`${backup.label}: ${(error as Error).message}`);
    }
  }
  throw new Error('there is no backup');
}
