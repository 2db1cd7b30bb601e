import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DrillFault,
  type DrillRecord,
  type DrillRound,
  type DrillVerdict,
  judgeDrill,
} from '../../../lib/backup/drill.ts';
import { drillPage } from '../../../lib/backup/drill-page.ts';
import { bytesOf } from '../../../lib/backup/manifest.ts';
import { backupSettings } from '../../../lib/backup/settings.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { contentOf } from '../../../lib/operations/backup/content.ts';
import { preparePoint } from '../../../lib/operations/backup/restore-point.ts';
import { isoNow } from '../../../lib/ports/clock.ts';
import { renderReport } from '../../../lib/reports/report.ts';
import { processActor } from '../../control/owner.ts';
import { loadLocalService } from '../../declaration/local-service.ts';
import { writeDurably } from '../durable-files.ts';
import { FileBackupRepository } from '../file-repository.ts';
import { drillsFolder } from '../last-drill.ts';
import { type OpenBackups, repositoryOf } from '../open-backups.ts';
import { StateTarget } from '../state-target.ts';
import { drillFaults } from './faults.ts';
import { drillRound, type RoundParts } from './round.ts';

/** How a drill is run. */
export interface DrillOptions extends OpenBackups {
  readonly rounds: number;
  /** Milliseconds between two backups of the drilled control plane. */
  readonly everyMs: number;
  /** Provoke faults afterwards. */
  readonly faults: boolean;
  /** Folder in which the drill works; everything in it is removed afterwards. */
  readonly scratch?: string | undefined;
  readonly signal: AbortSignal;
  readonly onRound: (round: DrillRound) => void;
  readonly onFault: (fault: DrillFault) => void;
}

/** A drill with the verdict on it, and the file that both are in. */
export interface Drilled {
  readonly record: DrillRecord;
  readonly verdict: DrillVerdict;
  readonly file: string;
}

/** Restores the newest point into the place of the drill; the repository that it comes from learns nothing of it. */
async function beginWithNewest(
  repository: FileBackupRepository,
  stateDir: string,
  { clock, ids }: DrillOptions,
) {
  const target = new StateTarget(stateDir, { clock, ids });
  try {
    const prepared = await preparePoint({ repository, target, clock }, { to: 'newest' }, processActor().id);
    await target.promote();
    return prepared;
  } finally {
    await target.close({ keep: false });
  }
}

async function runRounds(options: DrillOptions, parts: RoundParts): Promise<DrillRound[]> {
  const rounds: DrillRound[] = [];
  for (let round = 1; round <= options.rounds && !options.signal.aborted; round += 1) {
    let done: DrillRound;
    try {
      done = await drillRound(parts, round);
    } catch (error) {
      if (error instanceof EpsilonError && error.code === 'DRILL_NOTHING_LIVE') throw error;
      done = { round, error: (error as Error).message };
    }
    rounds.push(done);
    options.onRound(done);
    // What a round left cannot be drilled further.
    if ('error' in done) break;
  }
  return rounds;
}

async function longestBackup(folder: string, rounds: readonly DrillRound[]): Promise<number> {
  const points = await new FileBackupRepository(folder).points();
  return Math.max(
    0,
    ...rounds.map((round) => ('error' in round ? 0 : round.unfinishedMs)),
    ...points.flatMap((point) =>
      'manifest' in point ? [Date.parse(point.manifest.finishedAt) - Date.parse(point.manifest.takenAt)] : [],
    ),
  );
}

function scratchIn(parent: string): string {
  try {
    return mkdtempSync(join(parent, 'epsilon-drill-'));
  } catch (error) {
    throw new EpsilonError(
      'DRILL_SCRATCH',
      `Nothing can be made in ${parent} (${(error as Error).message}); name another folder with --scratch.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Restores the newest point in isolation and drills the copy: rounds of writes, a kill without warning, the loss of the state, a restore,
 * a write and a query. The verdict is computed here, outside the programs that are drilled, from the record alone, which is written
 * beside the points, and as a page beside itself.
 */
export async function runDrill(options: DrillOptions): Promise<Drilled> {
  const { projectDir, variables, clock, ids, everyMs } = options;
  const repository = await repositoryOf(options);
  const { config, backup } = loadLocalService(projectDir, variables);
  const { everyMinutes, rpoMinutes } = backupSettings(backup);
  const startedAt = isoNow(clock);
  const folder = scratchIn(options.scratch ?? tmpdir());
  try {
    const place = { projectDir, stateDir: join(folder, 'state'), backups: join(folder, 'backups') };
    const ledgers = join(folder, 'ledgers');
    mkdirSync(ledgers);
    const { manifest, passedOver } = await beginWithNewest(repository, place.stateDir, options);
    const parts = { place, config, clock, ledgers, everyMs, writeMs: Math.round(everyMs * 2.5) };
    const rounds = await runRounds(options, parts);
    const faults = options.faults ? await drillFaults(parts, options) : [];
    const record: DrillRecord = {
      schemaVersion: 1,
      id: ids.ulid(),
      startedAt,
      finishedAt: isoNow(clock),
      host: hostname(),
      node: process.version,
      point: manifest.id,
      pointTakenAt: manifest.takenAt,
      passedOver,
      dataBytes: bytesOf(manifest),
      longestBackupMs: await longestBackup(place.backups, rounds),
      goals: {
        rounds: options.rounds,
        everyMs,
        settingMs: everyMinutes === 'off' ? 'off' : everyMinutes * 60_000,
        rpoMs: rpoMinutes * 60_000,
      },
      rounds,
      faults,
    };
    const verdict = judgeDrill(record);
    const file = join(repository.place, drillsFolder, `${record.id}.json`);
    await writeDurably(file, contentOf(`${JSON.stringify({ ...record, verdict }, null, 2)}\n`));
    await writeDurably(file.replace(/json$/, 'html'), contentOf(renderReport(drillPage(record, verdict))));
    return { record, verdict, file };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
