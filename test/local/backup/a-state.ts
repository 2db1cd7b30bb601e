import { join } from 'node:path';
import type { Wanted } from '../../../lib/backup/points.ts';
import { createFileObjectStore } from '../../../lib/files/file-object-store.ts';
import { preparePoint, promotePoint } from '../../../lib/operations/backup/restore-point.ts';
import { runBackup } from '../../../lib/operations/backup/run-backup.ts';
import { encodeFlatIndex } from '../../../lib/training/models/vectors/flat-index.ts';
import { encodeModel } from '../../../lib/training/models/vectors/word-model.ts';
import { SqliteJournal } from '../../../local/asl/journal/sqlite.ts';
import { FileBackupRepository } from '../../../local/backup/file-repository.ts';
import { stateBackupSource } from '../../../local/backup/state-source.ts';
import { StateTarget } from '../../../local/backup/state-target.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { openLocalStores } from '../../../local/stores/local-stores.ts';
import { openStateDirectory } from '../../../local/stores/state-directory.ts';
import { aModel, anAttempt, aRun, aTenant } from '../../fixtures/records.ts';
import { sequentialIds } from '../../fixtures/sequential-ids.ts';
import { freshDir, makeBench } from '../asl/harness.ts';

const at = '2026-11-24T02:00:00.000Z';
/** A model of acme whose objects `aState` keeps. */
const model = aModel({ runs: 's3://bucket-a/acme/runs' });

const waits = {
  QueryLanguage: 'JSONata',
  StartAt: 'Wait',
  States: {
    Wait: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Arguments: { FunctionName: 'submit', Payload: { token: '{% $states.context.Task.Token %}' } },
      TimeoutSeconds: 86_400,
      End: true,
    },
  },
};

/** A state directory with a live model, a run with an open attempt, and an execution that waits for its task token. */
export async function aState() {
  const path = join(freshDir(), 'state');
  const state = openStateDirectory(path, 'write');
  const stores = openLocalStores({ stateDir: path });
  await stores.tenants.put(aTenant(), 0);
  await stores.models.register(model);
  const { fence } = await stores.leases.acquire({
    tenantId: 'acme',
    holder: 'r1',
    now: at,
    expiresAt: '2026-11-24T03:00:00.000Z',
  });
  await stores.models.promote({ ...model, fence, at, reason: 'run' });
  await stores.runs.createRun(aRun());
  await stores.runs.createAttempt(anAttempt({ taskToken: 'token-of-the-store' }));
  const objects = createFileObjectStore({ root: state.objects });
  const vectors = new Float32Array([1, 0, 0, 1]);
  const words = ['alpha', 'beta'];
  await objects.put(
    model.modelUri,
    encodeModel({ modelType: 'skipgram', dimensions: 2, words, counts: [1, 1], vectors }),
  );
  await objects.put(model.indexUri, encodeFlatIndex({ dimensions: 2, vectors: new Float32Array([1, 0]) }));
  await objects.put(model.indexUri.replace('index.faiss', 'ids.json'), '["p1"]');
  await objects.put(
    `${model.dataUri}a.jsonl`,
    `${JSON.stringify({ id: 'p1', source: 'a.md', text: 'alpha' })}\n`,
  );
  await objects.put(`${model.cacheUri}a.jsonl`, 'a'.repeat(300_000));
  let token = '';
  const clock = new VirtualClock(Date.parse(at));
  const engine = makeBench({
    journal: new SqliteJournal({ stateDir: path }),
    clock,
    functions: {
      submit: ({ token: given }: { token: string }) => {
        token = given;
      },
    },
  });
  engine.engine.registerMachine({ name: 'm', definition: waits });
  const { executionArn } = await engine.engine.startExecution({ machine: 'm', name: 'x', input: {} });
  for (let calm = 0; calm < 5; calm = token === '' || engine.engine.busy ? 0 : calm + 1)
    await new Promise<void>((resolve) => setImmediate(resolve));
  const ids = sequentialIds();
  const folder = `${path}-backups`;
  const repository = new FileBackupRepository(folder);
  const into = `${path}-restored`;
  const close = async () => {
    await engine.engine.close();
    stores.close();
    state.release();
  };
  return {
    path,
    state,
    stores,
    objects,
    clock,
    ids,
    repository,
    folder,
    into,
    model,
    executionArn,
    close,
    engine: engine.engine,
    token: () => token,
    backUp: () => runBackup({ source: stateBackupSource(state, clock), repository, clock, ids }),
    /** Restores into a new folder and, when asked to, promotes it. */
    restore: async (wanted: Wanted, { promote = false, to = into } = {}) => {
      const target = new StateTarget(to, { clock, ids });
      try {
        const prepared = await preparePoint({ repository, target, clock }, wanted, 'os:tester');
        if (promote) await promotePoint({ repository, target }, prepared, prepared.digest);
        return prepared;
      } finally {
        await target.close({ keep: false });
      }
    },
  };
}
