import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { demand, folderFor, type Ran, run, runsAs } from './place.ts';
import type { Cluster } from './server.ts';

/** A backup that pgBackRest lists: only whole ones are. */
export interface ListedBackup {
  readonly label: string;
  /** First and last segment that it needs to be consistent. */
  readonly firstSegment: string;
  readonly lastSegment: string;
}

/** A repository of pgBackRest for one cluster. */
export class Repository {
  readonly folder: string;
  readonly #config: string;

  constructor(place: string, { data, socket }: Cluster) {
    this.folder = folderFor(join(place, 'repository'));
    const work = folderFor(join(place, 'pgbackrest'));
    this.#config = join(work, 'pgbackrest.conf');
    const settings = [
      '[global]',
      `repo1-path=${this.folder}`,
      `log-path=${work}`,
      `lock-path=${work}`,
      `spool-path=${work}`,
      'log-level-console=error',
      'log-level-file=off',
      'compress-type=gz',
      'compress-level=1',
      'start-fast=y',
      // Seconds that a backup waits for its log: a busy host archives some gigabytes of it slowly.
      'archive-timeout=3600',
      // Measured: with retention 1 and an empty second backup, expiring by itself removes the only good one.
      'expire-auto=n',
      'repo1-retention-full=2',
      '[main]',
      `pg1-path=${data}`,
      `pg1-socket-path=${socket}`,
      'pg1-user=postgres',
    ];
    writeFileSync(this.#config, `${settings.join('\n')}\n`, { mode: 0o644 });
  }

  #args(words: readonly string[]): string[] {
    return [`--config=${this.#config}`, '--stanza=main', ...words];
  }

  /** Command by which PostgreSQL archives a segment. */
  get archiveCommand(): string {
    return `pgbackrest --config=${this.#config} --stanza=main archive-push %p`;
  }

  /** Command by which PostgreSQL in `data` fetches a segment, from the archive and, where one is named, from what a receiver has. */
  restoreCommand(data: string, receiver?: string): string {
    const archived = `pgbackrest --config=${this.#config} --stanza=main --pg1-path=${data} archive-get %f %p`;
    if (receiver === undefined) return archived;
    return `${archived} || cp ${receiver}/%f %p || cp ${receiver}/%f.partial %p`;
  }

  call(words: readonly string[]): Ran {
    return run('pgbackrest', this.#args(words));
  }

  begin(words: readonly string[]): ChildProcess {
    return spawn('pgbackrest', this.#args(words), { ...runsAs, cwd: '/', stdio: 'ignore' });
  }

  create(): void {
    demand('pgbackrest', this.#args(['stanza-create']));
  }

  backUp(type: 'full' | 'incr' = 'full'): void {
    demand('pgbackrest', this.#args(['backup', `--type=${type}`]));
  }

  /** Identifier of the system whose backups these are. */
  systemId(): string {
    const said = demand('pgbackrest', this.#args(['info', '--output=json']));
    // As text: it has more digits than a number holds.
    const found = /"system-id":(\d+)/.exec(said)?.[1];
    if (found !== undefined) return found;
    const [stanza] = JSON.parse(said) as { status?: { message?: string } }[];
    throw new Error(`the repository cannot be read: ${stanza?.status?.message ?? said.slice(0, 200)}`);
  }

  /** Backups, oldest first. */
  backups(): ListedBackup[] {
    const [stanza] = JSON.parse(demand('pgbackrest', this.#args(['info', '--output=json']))) as {
      backup: { label: string; archive: { start: string; stop: string } }[];
    }[];
    return (stanza?.backup ?? []).map(({ label, archive }) => ({
      label,
      firstSegment: archive.start,
      lastSegment: archive.stop,
    }));
  }

  /** Segments in the archive, by name. */
  segments(): string[] {
    const folder = join(this.folder, 'archive', 'main');
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true })
      .map((name) => /([0-9A-F]{24})-[0-9a-f]{40}(\.\w+)?$/.exec(String(name))?.[1])
      .filter((name) => name !== undefined)
      .sort();
  }

  /** Seconds since the newest segment arrived, by the clock of where it arrives; nothing of the source is asked. */
  age(): number {
    const newest = this.segments().at(-1);
    if (newest === undefined) return Number.POSITIVE_INFINITY;
    return (Date.now() - statSync(this.segmentFile(newest)).mtimeMs) / 1_000;
  }

  /** Files that describe all backups, and the copy of them. */
  descriptions(): string[] {
    return ['backup.info', 'backup.info.copy'].map((name) => join(this.folder, 'backup', 'main', name));
  }

  /** Content of an archived segment; throws when it is not what its name says. */
  readSegment(segment: string): Buffer {
    const file = this.segmentFile(segment);
    const content = gunzipSync(readFileSync(file));
    const sha1 = createHash('sha1').update(content).digest('hex');
    if (file.includes(`${segment}-${sha1}`)) return content;
    throw new Error(`segment ${segment} does not match its checksum`);
  }

  /** The file of an archived segment. */
  segmentFile(segment: string): string {
    const folder = join(this.folder, 'archive', 'main');
    const found = readdirSync(folder, { recursive: true }).find((name) =>
      String(name).includes(`${segment}-`),
    );
    return join(folder, String(found));
  }
}
