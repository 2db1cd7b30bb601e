import { promoteModel, rollBackModel } from '../../lib/operations/models/promote-model.ts';
import type { ModelVersion } from '../../lib/training/models/model.ts';
import { stageNames } from '../../lib/training/stages.ts';
import { aModel, aRun, aTenant } from '../fixtures/records.ts';
import { fixedNamesOf } from './memory-objects.ts';
import { portsOf } from './ports.ts';
import type { Scenario } from './scenario.ts';
import { done, playTo } from './set-up.ts';
import { invokeFor, passOver } from './surroundings.ts';
import { start, type Trial } from './trial.ts';

const { tenantId, runId, logicalDate } = aRun();
const at = new Date(start).toISOString();

/** Versions in the order of their making; the run that is explored makes a newer one. */
const versions = ['01JDEYP0000000000000000001', '01JDEYP0000000000000000002'] as const;

const versionOf = (modelVersion: string): ModelVersion =>
  aModel({ runs: `s3://data/${tenantId}/made`, tenantId, runId: modelVersion, modelVersion, logicalDate });

/** What lies below a model's names, each text naming whose it is. */
function fill(trial: Trial, model: Pick<ModelVersion, 'modelUri' | 'indexUri' | 'dataUri' | 'modelVersion'>) {
  const { modelUri, indexUri, dataUri, modelVersion } = model;
  for (const uri of [modelUri, indexUri, `${dataUri}manifest.json`, `${dataUri}of-${modelVersion}.txt`])
    trial.objects.set(uri, modelVersion);
}

/** Two registered models; the older one was live, the newer one is, and the fixed names follow it. */
async function twoModels(trial: Trial): Promise<void> {
  const { tenants, models, leases } = trial.stores.direct;
  await tenants.put({ ...aTenant(), tenantId }, 0);
  const lease = { tenantId, holder: 'set-up', now: at, expiresAt: at };
  const { fence } = await leases.acquire(lease);
  for (const modelVersion of versions) {
    const model = versionOf(modelVersion);
    fill(trial, model);
    await models.register(model);
    await models.promote({ tenantId, modelVersion, fence, at, reason: 'run' });
  }
  const live = versionOf(versions[1]);
  const root = fixedNamesOf(tenantId);
  trial.objects.set(`${root}model.bin`, live.modelVersion);
  trial.objects.set(`${root}index.faiss`, live.modelVersion);
  trial.objects.set(`${root}model.json`, live.modelVersion);
  for (const name of ['manifest.json', `of-${live.modelVersion}.txt`])
    trial.objects.set(`${root}training_data/${name}`, live.modelVersion);
  await models.noteAligned({ tenantId, modelVersion: live.modelVersion, fence, at });
  await leases.release({ tenantId, holder: 'set-up', fence });
}

/** An operator's act on the models; being refused is one of its ends. */
function operator(trial: Trial, act: (ports: ReturnType<typeof portsOf>) => Promise<unknown>): void {
  trial.spawn('Operator', (actor) => act(portsOf(trial, actor)));
}

const rollBack = (trial: Trial) => operator(trial, (ports) => rollBackModel(ports, { tenantId }));
const promote = (trial: Trial, modelVersion: string) =>
  operator(trial, (ports) => promoteModel(ports, { tenantId, modelVersion }));

const pass = (trial: Trial) => passOver(trial, tenantId);

/** The fixed names follow what an operator takes back and another one brings. */
export const fixedNames: Scenario = {
  name: 'fixed-names',
  about:
    'A model is taken back while another one is promoted, and the fixed names follow: events late and twice.',
  backend: 'host',
  retries: 0,
  limits: { event: 2, 'event again': 1, slow: 1 },
  prepare: async (trial) => {
    await twoModels(trial);
    rollBack(trial);
    promote(trial, versions[1]);
  },
  pass,
};

/** A model is taken back, and its event is under way. */
async function rolledBack(trial: Trial): Promise<void> {
  await twoModels(trial);
  rollBack(trial);
  const first = trial.actors.at(-1);
  if (first) await trial.playAlone(first);
}

/** An alignment that is slow beyond its lock's time must not undo what came after it. */
export const slowAlignment: Scenario = {
  name: 'slow-alignment',
  about: 'Fixed names are aligned three times at once, one of them slow beyond its time, after a rollback.',
  backend: 'host',
  retries: 0,
  limits: { event: 1, 'event again': 2, slow: 3 },
  prepare: rolledBack,
  pass,
};

/** The same with one that has begun already. */
export const slowLock: Scenario = {
  name: 'slow-lock',
  about: 'An alignment is slow beyond its lock, which it gives back when another one has it.',
  backend: 'host',
  retries: 0,
  limits: {},
  prepare: async (trial) => {
    await rolledBack(trial);
    for (const delivery of trial.deliveries.splice(0)) {
      const [first, second] = [1, 2].map(() => {
        invokeFor(trial, delivery);
        return trial.actors.at(-1);
      });
      await playTo(trial, first, { calls: 3 });
      trial.pass(120_000);
      await playTo(trial, second, { calls: 2 });
    }
  },
  pass,
};

/** An alignment that is about to be noted when another model becomes live. */
export const slowNote: Scenario = {
  name: 'slow-note',
  about: 'An alignment is about to be noted when another model becomes live.',
  backend: 'host',
  retries: 0,
  limits: { event: 1 },
  prepare: async (trial) => {
    await rolledBack(trial);
    for (const delivery of trial.deliveries.splice(0)) {
      invokeFor(trial, delivery);
      await playTo(trial, trial.actors.at(-1), { label: /models\.noteAligned$|UpdateItem LIVE$/ });
    }
    promote(trial, versions[1]);
  },
  pass,
};

/** An operator who is slow beyond his lease gives it back when another one has it. */
export const slowOperator: Scenario = {
  name: 'slow-operator',
  about: 'A model is taken back by somebody slow beyond his lease while another one is promoted.',
  backend: 'host',
  retries: 0,
  limits: { slow: 1 },
  prepare: async (trial) => {
    await twoModels(trial);
    rollBack(trial);
    await playTo(trial, trial.actors.at(-1), { label: /events\.publish$/ });
    promote(trial, versions[1]);
  },
  pass,
};

/** A run promotes while an operator takes the live model back. */
export const promotionAndRollback: Scenario = {
  name: 'promotion-and-rollback',
  about: 'A run whose lease is over promotes while an operator takes the live model back, and is stopped.',
  backend: 'host',
  retries: 1,
  limits: { stop: 1, event: 2, time: 1 },
  prepare: async (trial) => {
    await twoModels(trial);
    const { runs, leases } = trial.stores.direct;
    const { executionArn: arn, modelVersion } = aRun();
    const { fence } = await leases.acquire({ tenantId, holder: runId, now: at, expiresAt: at });
    await runs.createRun(aRun({ fence }));
    await done(trial, runId, stageNames);
    const outputs = (stage: string) => `s3://data/${tenantId}/runs/${runId}/${stage}/1/`;
    fill(trial, {
      modelVersion,
      modelUri: `${outputs('train')}model.bin`,
      indexUri: `${outputs('index')}index.faiss`,
      dataUri: outputs('prepare'),
    });
    trial.machine({ runId, tenantId, arn, state: 'promote' }).enter();
    rollBack(trial);
  },
  pass: (trial) => {
    passOver(trial, runId);
    pass(trial);
  },
};
