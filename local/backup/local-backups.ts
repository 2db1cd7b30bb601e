import { type PointSummary, summaryOf } from '../../lib/backup/manifest.ts';
import type { BackupSettings } from '../../lib/backup/settings.ts';
import { runBackup } from '../../lib/operations/backup/run-backup.ts';
import type { Backups } from '../../lib/ports/backup/backups.ts';
import type { Clock, Timer } from '../../lib/ports/clock.ts';
import type { IdSource } from '../../lib/ports/id-source.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { StateDirectory } from '../stores/state-directory.ts';
import { FileBackupRepository } from './file-repository.ts';
import { stateBackupSource } from './state-source.ts';

/** What backups of a running control plane need. */
export interface LocalBackupsOptions {
  readonly state: StateDirectory;
  readonly settings: BackupSettings;
  /** Folder of the repository. */
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Log;
  /** Hears when backups begin to fail. */
  readonly onFault: (error: Error) => void;
}

/** Backups that the process makes which writes the state directory; one at a time. */
export class LocalBackups implements Backups {
  readonly #options: LocalBackupsOptions;
  readonly #repository: FileBackupRepository;
  #last: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #newest: number | undefined;
  #failing = false;
  #closed = false;

  constructor(options: LocalBackupsOptions) {
    this.#options = options;
    this.#repository = new FileBackupRepository(options.folder);
  }

  run(): Promise<PointSummary> {
    const run = this.#last.then(
      () => this.#run(),
      () => this.#run(),
    );
    this.#last = run;
    return run;
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

  /** Begins to back up by itself, as often as the settings say, at first when the newest point is old enough. */
  async keepUp(everyMs?: number): Promise<void> {
    const { settings, clock } = this.#options;
    if (everyMs === undefined && settings.everyMinutes === 'off') return;
    const every = everyMs ?? Number(settings.everyMinutes) * 60_000;
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
      this.run()
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
    this.#timer?.cancel();
    await this.idle();
  }
}
