import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type PointSummary, summaryOf } from '../../lib/backup/manifest.ts';
import type { RecordsPolicy } from '../../lib/backup/record-retention.ts';
import type { BackupSettings } from '../../lib/backup/settings.ts';
import { contentOf } from '../../lib/operations/backup/content.ts';
import { pruneBackups } from '../../lib/operations/backup/prune-backups.ts';
import { runBackup } from '../../lib/operations/backup/run-backup.ts';
import type { Backups, Pruned } from '../../lib/ports/backup/backups.ts';
import { type Clock, isoNow, type Timer } from '../../lib/ports/clock.ts';
import type { IdSource } from '../../lib/ports/id-source.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { StateDirectory } from '../stores/state-directory.ts';
import type { DrillTimer } from './drill-timer.ts';
import { writeDurably } from './durable-files.ts';
import { FileBackupRepository } from './file-repository.ts';
import { lastPassedDrill } from './last-drill.ts';
import { pruneState } from './prune-state.ts';
import { stateBackupSource } from './state-source.ts';
import { StateTarget } from './state-target.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** File that says when records and points were pruned last. */
const prunedMarker = 'pruned-at';

/** What backups of a running control plane need. */
export interface LocalBackupsOptions {
  readonly state: StateDirectory;
  readonly settings: BackupSettings;
  readonly policy: RecordsPolicy;
  /** Folder of the repository. */
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Log;
  /** Hears when backups begin to fail. */
  readonly onFault: (error: Error) => void;
  /** Begins drills by itself; without it nobody does. */
  readonly drills?: Pick<DrillTimer, 'look' | 'close'>;
}

/** Backups that the process makes which writes the state directory; one at a time. */
export class LocalBackups implements Backups {
  readonly #options: LocalBackupsOptions;
  readonly #repository: FileBackupRepository;
  #last: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #newest: number | undefined;
  /** When a pruning was begun last, by this process. */
  #prunedAt = Number.NEGATIVE_INFINITY;
  #failing = false;
  #drills = false;
  #closed = false;

  constructor(options: LocalBackupsOptions) {
    this.#options = options;
    this.#repository = new FileBackupRepository(options.folder);
  }

  run(): Promise<PointSummary> {
    return this.#inTurn(() => this.#run());
  }

  prune(request: { readonly dryRun: boolean }): Promise<Pruned> {
    return this.#inTurn(() => this.#prune(request));
  }

  /** One after the other: what a backup is keeping belongs to no point yet, and would be removed. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done;
    return done;
  }

  async #prune({ dryRun }: { readonly dryRun: boolean }): Promise<Pruned> {
    const { state, settings, policy, clock, ids, log } = this.#options;
    // One place, so that what a killed pruning leaves is removed by the next one.
    const scratch = join(state.path, 'verify.tmp');
    rmSync(scratch, { recursive: true, force: true });
    mkdirSync(scratch, { mode: 0o700 });
    const target = new StateTarget(join(scratch, 'state'), { clock, ids });
    try {
      const backups = await pruneBackups({ repository: this.#repository, target, clock }, settings, dryRun);
      const records = await pruneState(state, { policy, now: clock.now(), dryRun });
      if (!dryRun) {
        await writeDurably(join(state.path, prunedMarker), contentOf(`${isoNow(clock)}\n`));
        log.info('pruned', { backups, records });
      }
      return { backups, records };
    } finally {
      await target.close({ keep: false });
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  /** Whether a day has passed since records and points were pruned last. */
  #isPruningDue(): boolean {
    try {
      const at = Date.parse(readFileSync(join(this.#options.state.path, prunedMarker), 'utf8').trim());
      return !(this.#options.clock.now() - at < day);
    } catch {
      return true;
    }
  }

  /** What is done by itself: a backup and, once a day, a pruning. A pruning that failed is tried again after an hour. */
  async #keep(): Promise<void> {
    await this.#run();
    if (this.#drills) await this.#options.drills?.look();
    const { clock, log, onFault } = this.#options;
    if (!this.#isPruningDue() || clock.now() - this.#prunedAt < hour) return;
    this.#prunedAt = clock.now();
    try {
      await this.#prune({ dryRun: false });
    } catch (error) {
      log.error('not pruned', { error: String(error) });
      onFault(new Error(`nothing was pruned: ${(error as Error).message}`));
    }
  }

  async #run(): Promise<PointSummary> {
    const { state, clock, ids, log } = this.#options;
    const source = stateBackupSource(state, clock);
    const manifest = await runBackup({ source, repository: this.#repository, clock, ids });
    this.#newest = Date.parse(manifest.takenAt);
    const summary = summaryOf(manifest);
    const { id, takenAt, objects, bytes, pointers } = summary;
    log.info('backed up', { id, takenAt, objects, bytes });
    if (pointers.dangling.length > 0) log.warn('models lack objects', { pointers: pointers.dangling });
    return summary;
  }

  /** Seconds since the cut of the newest point; -1 while there is none. What a backup said of itself does not count. */
  age(): number {
    return this.#newest === undefined ? -1 : Math.max(0, (this.#options.clock.now() - this.#newest) / 1_000);
  }

  /** The drill on these backups that passed last: how long ago, and how long recovery took in it; undefined where none has. */
  lastDrill(): { readonly ageSeconds: number; readonly recoverySeconds?: number } | undefined {
    const passed = lastPassedDrill(this.#repository.place);
    if (!passed) return undefined;
    const { finishedAt, recoveryMs } = passed;
    const ageSeconds = Math.max(0, (this.#options.clock.now() - finishedAt) / 1_000);
    return { ageSeconds, ...(recoveryMs === undefined ? {} : { recoverySeconds: recoveryMs / 1_000 }) };
  }

  /** Begins to back up by itself, as often as the settings say, at first when the newest point is old enough. */
  async keepUp(everyMs?: number): Promise<void> {
    const { settings, clock } = this.#options;
    if (everyMs === undefined && settings.everyMinutes === 'off') return;
    const every = everyMs ?? Number(settings.everyMinutes) * 60_000;
    // What a drill itself has started begins no other.
    this.#drills = everyMs === undefined;
    try {
      const newest = await this.#repository.newest();
      if (newest) this.#newest = Date.parse(newest.takenAt);
    } catch (error) {
      this.#note(error as Error);
    }
    const due = this.#newest === undefined ? 0 : Math.max(0, this.#newest + every - clock.now());
    this.#wake(Math.min(due, every), every);
  }

  /** People are told once that backups fail, and once that they are made again. */
  #note(error: Error | undefined): void {
    const { log, onFault } = this.#options;
    if (error) log.error('backup failed', { error: String(error) });
    const was = this.#failing;
    this.#failing = error !== undefined;
    if (error && !was) onFault(new Error(`no backup was made: ${error.message} The next try follows.`));
    else if (!error && was) log.info('backups are made again');
  }

  #wake(pause: number, every: number): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    this.#timer = clock.setTimer(pause, () => {
      const begun = clock.now();
      this.#inTurn(() => this.#keep())
        .then(
          () => this.#note(undefined),
          (error: unknown) => this.#note(error as Error),
        )
        // What a backup takes is part of what may be lost: the next one begins an interval after this one began.
        .finally(() => this.#wake(Math.max(0, every - (clock.now() - begun)), every));
    });
  }

  /** Resolves when no backup is under way. */
  async idle(): Promise<void> {
    await this.#last.catch(() => {});
  }

  /** Makes no more backups; waits for the one under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#options.drills?.close();
    this.#timer?.cancel();
    await this.idle();
  }
}
