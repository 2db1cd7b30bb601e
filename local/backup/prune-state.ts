import { type Dirent, existsSync, lstatSync, readdirSync, renameSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  modelsToForget,
  outputsToDelete,
  type RecordsPolicy,
  type RunOutputs,
  runsToForget,
} from '../../lib/backup/record-retention.ts';
import type { Pruned } from '../../lib/ports/backup/backups.ts';
import { isTenantId } from '../../lib/tenants/tenant.ts';
import type { LiveModel, ModelVersion } from '../../lib/training/models/model.ts';
import type { Attempt, Run } from '../../lib/training/run.ts';
import { forgetExecutions, forgettable } from '../asl/journal/forget-executions.ts';
import { Database } from '../stores/database.ts';
import type { StateDirectory } from '../stores/state-directory.ts';
import { databases } from './cut-databases.ts';

const day = 86_400_000;

/** Days that claims of scheduled times stay, as on AWS. */
const claimDays = 90;

type Place = Pick<StateDirectory, 'databases' | 'objects' | 'jobs' | 'logs'>;

/** Bytes of the control plane's log from which on a new one is begun. */
const largestLog = 64 * 1_048_576;

/** How a pruning is done. */
export interface PruneRequest {
  readonly policy: RecordsPolicy;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Nothing is removed; only the counts are made. */
  readonly dryRun: boolean;
}

const bodies = <T>(db: Database, sql: string): T[] =>
  db.all(sql).map(({ body }) => JSON.parse(String(body)) as T);

/** Decides and forgets in one transaction, so that what is promoted meanwhile is never forgotten; what stays is given back. */
function pruneStore(db: Database, { policy, now, dryRun }: PruneRequest) {
  return db.transaction(() => {
    const models = bodies<ModelVersion>(db, 'SELECT body FROM models');
    const lives = bodies<LiveModel>(db, 'SELECT body FROM live');
    const gone = modelsToForget(models, lives, policy);
    const left = models.filter((model) => !gone.includes(model));
    const runs = bodies<Run>(db, 'SELECT body FROM runs');
    const goneRuns = runsToForget(runs, left, policy, now);
    if (!dryRun) {
      for (const { tenantId, modelVersion } of gone)
        db.run('DELETE FROM models WHERE tenant_id = ? AND model_version = ?', tenantId, modelVersion);
      for (const { runId } of goneRuns) {
        db.run('DELETE FROM attempts WHERE run_id = ? AND open = 0', runId);
        db.run("DELETE FROM runs WHERE run_id = ? AND status <> 'running'", runId);
      }
      // Jobs that look at tenants' data belong to no run.
      db.run(
        "DELETE FROM attempts WHERE stage = 'profile' AND open = 0 AND intent_at < ?",
        new Date(now - policy.runDays * day).toISOString(),
      );
      db.run('DELETE FROM claims WHERE claimed_at < ?', new Date(now - claimDays * day).toISOString());
    }
    const forgotten = new Set(goneRuns);
    const keep = new Set(runs.filter((run) => !forgotten.has(run)).map(({ executionArn }) => executionArn));
    const attempts = Map.groupBy(bodies<Attempt>(db, 'SELECT body FROM attempts'), ({ runId }) => runId);
    // With those that go now: their outputs go with them.
    const facts = { runs: new Map(runs.map((run) => [run.runId, run])), attempts, models: left, lives };
    return { models: gone.length, runs: goneRuns.length, keep, facts };
  });
}

function foldersIn(path: string): string[] {
  const entries: Dirent[] = existsSync(path) ? readdirSync(path, { withFileTypes: true }) : [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

interface Tree {
  readonly files: number;
  readonly bytes: number;
  readonly changedAt: number;
}

/** Files below a folder, their bytes, and when the last of them was written. */
function measured(path: string): Tree {
  let [files, bytes] = [0, 0];
  let changedAt = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const entries = existsSync(path) ? readdirSync(path, { withFileTypes: true, recursive: true }) : [];
  for (const entry of entries.filter((each) => each.isFile())) {
    const found = lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    if (!found) continue;
    files += 1;
    bytes += found.size;
    changedAt = Math.max(changedAt, found.mtimeMs);
  }
  return { files, bytes, changedAt };
}

/** Folders of runs' outputs. */
function outputsIn(objects: string): RunOutputs[] {
  return foldersIn(objects).flatMap((bucket) =>
    foldersIn(join(objects, bucket))
      .filter(isTenantId)
      .flatMap((tenant) =>
        foldersIn(join(objects, bucket, tenant, 'runs')).map((runId) => {
          const prefix = `${bucket}/${tenant}/runs/${runId}/`;
          return { prefix, runId, changedAt: measured(join(objects, prefix)).changedAt };
        }),
      ),
  );
}

/** Folders in which nights and checks leave what their states hand on, that nothing reads any more. */
function passedOn(objects: string, { policy, now }: PruneRequest): string[] {
  return (
    foldersIn(objects)
      .flatMap((bucket) => ['nights', 'quality', 'quality/runs'].map((name) => `${bucket}/${name}`))
      .flatMap((parent) => foldersIn(join(objects, parent)).map((name) => `${parent}/${name}/`))
      // The folder of jobs that look at datasets: each for itself.
      .filter((prefix) => !prefix.endsWith('/quality/runs/'))
      .filter((prefix) => measured(join(objects, prefix)).changedAt < now - policy.runDays * day)
  );
}

/** Folders of jobs that are over and that no open attempt names. */
async function endedJobs(
  jobs: string,
  open: ReadonlySet<string>,
  { policy, now }: PruneRequest,
): Promise<string[]> {
  const ended: string[] = [];
  for (const name of foldersIn(jobs)) {
    if (open.has(name)) continue;
    const exit = await stat(join(jobs, name, 'exit.json')).catch(() => undefined);
    if (exit && exit.mtimeMs < now - policy.jobDays * day) ended.push(name);
  }
  return ended;
}

async function removeAll(
  root: string,
  folders: readonly string[],
  dryRun: boolean,
): Promise<Pick<Tree, 'files' | 'bytes'>> {
  let [files, bytes] = [0, 0];
  for (const folder of folders) {
    const found = measured(join(root, folder));
    files += found.files;
    bytes += found.bytes;
    if (!dryRun) await rm(join(root, folder), { recursive: true, force: true });
  }
  return { files, bytes };
}

/** Begins a new log where the present one has grown large; the one before it stays, older ones go. */
function turnLog(logs: string): void {
  const file = join(logs, 'control-plane.jsonl');
  if ((lstatSync(file, { throwIfNoEntry: false })?.size ?? 0) > largestLog) renameSync(file, `${file}.1`);
}

/**
 * Removes what nobody needs of the control plane's own records: models that were superseded, old runs with their attempts and
 * executions, outputs that no model has, folders of jobs. Records go before the objects that they name. It can be done again.
 */
export async function pruneState(state: Place, request: PruneRequest): Promise<Pruned['records']> {
  const { policy, now, dryRun } = request;
  const store = new Database({ file: join(state.databases, 'store.db'), migrations: databases['store.db'] });
  const journal = new Database({
    file: join(state.databases, 'engine.db'),
    migrations: databases['engine.db'],
  });
  try {
    const { models, runs, keep, facts } = pruneStore(store, request);
    const executions = forgettable(journal, { before: now - policy.runDays * day, keep });
    if (!dryRun) await forgetExecutions(journal, executions);
    const prefixes = outputsToDelete(outputsIn(state.objects), facts, policy, now);
    const objects = await removeAll(
      state.objects,
      [...prefixes, ...passedOn(state.objects, request)],
      dryRun,
    );
    const open = new Set(
      bodies<Attempt>(store, 'SELECT body FROM attempts WHERE open = 1').map(({ jobName }) => jobName),
    );
    const jobs = await endedJobs(state.jobs, open, request);
    const folders = await removeAll(state.jobs, jobs, dryRun);
    if (!dryRun) turnLog(state.logs);
    return {
      models,
      runs,
      executions: executions.length,
      objects: objects.files,
      bytes: objects.bytes + folders.bytes,
      jobFolders: jobs.length,
    };
  } finally {
    store.close();
    journal.close();
  }
}
