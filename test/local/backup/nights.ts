import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordsPolicy } from '../../../lib/backup/record-retention.ts';
import { backupSettings } from '../../../lib/backup/settings.ts';
import { createFileObjectStore } from '../../../lib/files/file-object-store.ts';
import { type StageName, stageNames } from '../../../lib/training/stages.ts';
import { SqliteJournal } from '../../../local/asl/journal/sqlite.ts';
import { LocalBackups } from '../../../local/backup/local-backups.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { openLocalStores } from '../../../local/stores/local-stores.ts';
import { openStateDirectory } from '../../../local/stores/state-directory.ts';
import { aModel, anAttempt, aRun, aTenant } from '../../fixtures/records.ts';
import { sequentialIds } from '../../fixtures/sequential-ids.ts';
import { silentLog } from '../../fixtures/silent-log.ts';
import { machine, makeBench } from '../asl/harness.ts';

const day = 86_400_000;
const first = Date.parse('2026-01-01T02:00:00Z');

/** Bytes of all files below a folder, and how many there are. */
export function sizeOf(folder: string): { readonly bytes: number; readonly files: number } {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  return { bytes: files.reduce((sum, size) => sum + size, 0), files: files.length };
}

/** A state directory in which nights pass: each tenant is trained each night, one attempt fails before its stage succeeds. */
export function passingNights(folder: string, tenantIds: readonly string[], objectBytes: number) {
  const path = join(folder, 'state');
  const state = openStateDirectory(path, 'write');
  const stores = openLocalStores({ stateDir: path });
  const clock = new VirtualClock(first);
  const objects = createFileObjectStore({ root: state.objects });
  const bench = makeBench({ journal: new SqliteJournal({ stateDir: path }), clock });
  bench.engine.registerMachine({ name: 'm', definition: machine({ A: { Type: 'Pass', End: true } }) });
  const backups = new LocalBackups({
    state,
    settings: backupSettings({}),
    policy: recordsPolicy({}),
    folder: `${path}-backups`,
    clock,
    ids: sequentialIds('P'),
    log: silentLog,
    onFault: (error) => {
      throw error;
    },
  });

  /** A file as if it had been written at the virtual time. */
  const dated = (file: string) => utimesSync(file, new Date(clock.now()), new Date(clock.now()));

  async function attemptOf(
    runId: string,
    tenantId: string,
    stage: StageName,
    number: number,
    failed: boolean,
  ) {
    const outputUri = `s3://bucket-a/${tenantId}/runs/${runId}/${stage}/${number}/`;
    const jobName = `${runId}-${stage}-${number}`;
    const key = { runId, tenantId, stage, attempt: number, jobName, outputUri };
    await stores.runs.createAttempt(anAttempt({ ...key, taskToken: 'token' }));
    const at = new Date(clock.now()).toISOString();
    const status = failed ? ('failed' as const) : ('succeeded' as const);
    await stores.runs.updateAttempt(
      key,
      { status, settledAt: at, finishedAt: at, taskToken: null },
      { status: ['submitted'] },
    );
    const name = { train: 'model.bin', index: 'index.faiss' }[stage as string] ?? 'part.jsonl';
    await objects.put(`${outputUri}${name}`, `${runId} `.repeat(objectBytes / 20));
    if (stage === 'index') await objects.put(`${outputUri}ids.json`, '[]');
    const job = join(state.jobs, jobName);
    mkdirSync(job, { recursive: true });
    writeFileSync(join(job, 'exit.json'), '{"code":0}');
    dated(join(job, 'exit.json'));
    return outputUri;
  }

  async function train(tenantId: string, date: string): Promise<void> {
    const runId = `${tenantId}-${date}`;
    const { executionArn } = await bench.engine.startExecution({ machine: 'm', name: runId, input: {} });
    await bench.until(executionArn);
    const at = new Date(clock.now()).toISOString();
    const version = `M${date}`;
    const run = aRun({
      runId,
      tenantId,
      logicalDate: date,
      executionArn,
      startedAt: at,
      modelVersion: version,
    });
    await stores.runs.createRun(run);
    const outputs = new Map<StageName, string>();
    for (const stage of stageNames) {
      if (stage === 'train') await attemptOf(runId, tenantId, stage, 1, true);
      outputs.set(stage, await attemptOf(runId, tenantId, stage, stage === 'train' ? 2 : 1, false));
    }
    const { fence } = await stores.leases.acquire({ tenantId, holder: runId, now: at, expiresAt: at });
    const model = aModel({
      tenantId,
      modelVersion: version,
      runId,
      logicalDate: date,
      modelUri: `${outputs.get('train')}model.bin`,
      indexUri: `${outputs.get('index')}index.faiss`,
      dataUri: outputs.get('prepare') ?? '',
      cacheUri: outputs.get('cache') ?? '',
      createdAt: at,
    });
    await stores.models.register(model);
    await stores.models.promote({ tenantId, modelVersion: version, fence, at, reason: 'run' });
    await stores.leases.release({ tenantId, holder: runId, fence });
    await stores.runs.updateRun(runId, { status: 'succeeded', finishedAt: at });
  }

  return {
    path,
    state,
    stores,
    clock,
    backups,
    objects,
    engine: bench.engine,
    folder: `${path}-backups`,
    begin: async () => {
      for (const tenantId of tenantIds) await stores.tenants.put(aTenant({ tenantId }), 0);
    },
    /** One night: every tenant is trained, and a backup is made before and after unless that is not asked for. */
    night: async ({ backedUp = true } = {}) => {
      const date = new Date(clock.now()).toISOString().slice(0, 10);
      if (backedUp) await backups.run();
      for (const tenantId of tenantIds) await train(tenantId, date);
      await objects.put(`s3://bucket-a/nights/${date}/list.json`, 'x'.repeat(objectBytes));
      for (const one of [`nights/${date}`, `nights/${date}/list.json`])
        dated(join(state.objects, 'bucket-a', one));
      if (backedUp) await backups.run();
      await clock.advance(day);
    },
    close: async () => {
      await backups.close();
      await bench.engine.close();
      stores.close();
      state.release();
    },
  };
}
