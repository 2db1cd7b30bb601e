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
}

/** Backups that the process makes which writes the state directory; one at a time. */
export class LocalBackups implements Backups {
  readonly #options: LocalBackupsOptions;
  readonly #repository: FileBackupRepository;
  #last: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #newest: number | undefined;
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
    await this.#repository.tenure();
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

  /** Begins to back up by itself, at first when the newest point is old enough. */
  async keepUp(): Promise<void> {
    const { settings, clock, log } = this.#options;
    if (settings.everyMinutes === 'off') return;
    const every = settings.everyMinutes * 60_000;
    try {
      const newest = (await this.#repository.points()).findLast((point) => 'manifest' in point);
      if (newest && 'manifest' in newest) this.#newest = Date.parse(newest.manifest.takenAt);
    } catch (error) {
      log.error('backups cannot be read', { error: String(error) });
    }
    const due = this.#newest === undefined ? 0 : Math.max(0, this.#newest + every - clock.now());
    this.#wake(Math.min(due, every), every);
  }

  #wake(pause: number, every: number): void {
    if (this.#closed) return;
    const { clock, log } = this.#options;
    this.#timer = clock.setTimer(pause, () => {
      const begun = clock.now();
      this.run()
        .catch((error: unknown) => log.error('backup failed', { error: String(error) }))
        // What a backup takes is part of what may be lost: the next one begins an interval after this one began.
        .finally(() => this.#wake(Math.max(1_000, every - (clock.now() - begun)), every));
    });
  }

  /** Makes no more backups; waits for the one under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#last.catch(() => {});
  }
}
