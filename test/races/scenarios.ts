import { stageNames } from '../../lib/training/stages.ts';
import { anAttempt, aRun, aTenant } from '../fixtures/records.ts';
import type { BackendKind } from './backend.ts';
import type { Machine } from './machine.ts';
import { claimTwice, editTwice, judgeTwice } from './record-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { inSameShard } from './settings.ts';
import { pass } from './surroundings.ts';
import { start, type Trial } from './trial.ts';

const iso = (ms: number) => new Date(ms).toISOString();
const result = { vectors: 10, dimensions: 4, selfRetrieval: 1, checksums: {} };

/** Attempts of a run's stages that are done. */
async function done(
  trial: Trial,
  runId: string,
  stages: readonly (typeof stageNames)[number][],
): Promise<void> {
  for (const stage of stages) {
    const jobName = `${runId}-${stage}-1`;
    const { taskToken: _, ...attempt } = anAttempt({
      runId,
      jobName,
      stage,
      status: 'succeeded',
      settledAt: iso(start),
      result,
    });
    await trial.stores.direct.runs.createAttempt(attempt);
  }
}

/** A run that holds its lease; every stage but the first is done, so that the first one's end leads to promotion. */
async function atWork(
  trial: Trial,
  { state = 'prepare', leaseMs = 900_000 }: { state?: 'prepare' | 'promote'; leaseMs?: number } = {},
): Promise<Machine> {
  const { runs, leases } = trial.stores.direct;
  const { tenantId, runId, executionArn: arn } = aRun();
  const { fence } = await leases.acquire({
    tenantId,
    holder: runId,
    now: iso(start),
    expiresAt: iso(start + leaseMs),
  });
  await runs.createRun(aRun({ fence }));
  await done(trial, runId, state === 'prepare' ? stageNames.slice(1) : stageNames);
  return trial.machine({ runId, tenantId, arn, state });
}

/** Another run of the same tenant, which is about to begin. */
async function another(trial: Trial): Promise<Machine> {
  const arn = 'arn:again';
  const runId = inSameShard('acme-again');
  const { tenants } = trial.stores.direct;
  const { tenantId } = aRun();
  await tenants.put({ ...aTenant(), tenantId }, 0);
  await done(trial, runId, stageNames.slice(1));
  return trial.machine({ runId, tenantId, arn, state: 'begin' });
}

/** A stage's attempt as its entry leaves it: the job is running, known to the lists and on record. */
async function submitted(trial: Trial): Promise<Machine> {
  const machine = await atWork(trial);
  machine.enter();
  const entry = trial.actors.at(-1);
  if (entry) await trial.playAlone(entry);
  for (const job of trial.backend.jobs) trial.backend.to(job, 'running');
  trial.backend.catchUp();
  trial.deliveries.length = 0;
  return machine;
}

type Made = Pick<Scenario, 'name' | 'about' | 'backend'>;
const on = (backend: BackendKind, name: string, about: string): Made => ({
  name: backend === 'batch' ? name : `${name} on ${backend}`,
  about,
  backend,
});

const entryRetryPass = (backend: BackendKind): Scenario => ({
  ...on(backend, 'entry-retry-pass', 'A stage is entered, the entry is repeated, and the reconciler passes.'),
  retries: 2,
  limits: { time: 1, event: 1 },
  prepare: async (trial) => {
    (await atWork(trial)).enter();
    pass(trial);
  },
  pass,
});

const retryPass = (backend: BackendKind): Scenario => ({
  ...on(
    backend,
    'retry-pass',
    'An entry whose submission was refused is repeated, and the reconciler passes.',
  ),
  retries: 2,
  limits: { event: 1 },
  prepare: async (trial) => {
    (await atWork(trial)).enter();
    const entry = trial.actors.at(-1);
    trial.backend.refuses = 1;
    if (entry) await trial.playAlone(entry);
    pass(trial);
  },
  pass,
});

const stopRedrive = (backend: BackendKind): Scenario => ({
  ...on(
    backend,
    'stop-redrive',
    'An operator stops the execution while its stage is entered, and redrives it.',
  ),
  retries: 1,
  limits: { stop: 1, redrive: 1, event: 1 },
  prepare: async (trial) => {
    (await atWork(trial)).enter();
  },
  pass,
});

const lateEnd = (backend: BackendKind): Scenario => ({
  ...on(
    backend,
    'late-end',
    "The end of an earlier try is told late, and twice, while a redrive's entry adopts the job.",
  ),
  retries: 1,
  limits: { redrive: 1, event: 1, 'event again': 1 },
  prepare: async (trial) => {
    (await submitted(trial)).stop();
    pass(trial);
  },
  pass,
});

const completion = (backend: BackendKind): Scenario => ({
  ...on(
    backend,
    'completion',
    'A job ends: its events come, late or twice, beside a pass and a missed heartbeat.',
  ),
  retries: 2,
  limits: { event: 2, 'event again': 1, 'missed heartbeat': 1 },
  ends: ['completed', 'preempted'],
  prepare: async (trial) => {
    await submitted(trial);
    pass(trial);
  },
  pass,
});

const stopWhileEnding = (backend: BackendKind): Scenario => ({
  ...on(backend, 'stop-while-ending', 'An operator stops the execution while its job ends by itself.'),
  retries: 1,
  limits: { stop: 1, event: 2 },
  ends: ['completed'],
  prepare: async (trial) => {
    await submitted(trial);
    pass(trial);
  },
  pass,
});

/** The end of an execution, told twice, and passes that see it too. */
const endedTwice: Scenario = {
  ...on('batch', 'ended-twice', 'The end of an execution is told twice, beside a pass that sees it.'),
  retries: 0,
  limits: { event: 1, 'event again': 1 },
  prepare: async (trial) => {
    (await submitted(trial)).stop();
    pass(trial);
  },
  pass,
};

const promotion: Scenario = {
  ...on(
    'batch',
    'promotion',
    'A run that lost its lease promotes while another run of its tenant begins, trains and promotes.',
  ),
  retries: 1,
  limits: { stop: 1, event: 1 },
  prepare: async (trial) => {
    (await atWork(trial, { state: 'promote', leaseMs: 0 })).enter();
    (await another(trial)).enter();
  },
  pass,
};

const promotionStopped: Scenario = {
  ...on('batch', 'promotion-stopped', 'An operator stops an execution that promotes, and redrives it.'),
  retries: 1,
  limits: { stop: 1, redrive: 1, event: 1, 'event again': 1 },
  prepare: async (trial) => {
    (await atWork(trial, { state: 'promote' })).enter();
  },
  pass,
};

const twoRuns: Scenario = {
  ...on('batch', 'two-runs', 'Two runs of one tenant want its lease.'),
  retries: 2,
  limits: { time: 1 },
  prepare: async (trial) => {
    const first = await atWork(trial, { leaseMs: 60_000 });
    first.enter();
    (await another(trial)).enter();
    pass(trial);
  },
  pass,
};

const beginning: Scenario = {
  ...on('batch', 'beginning', 'A run begins, and its beginning is repeated.'),
  retries: 2,
  limits: { stop: 1, redrive: 1, event: 1 },
  prepare: async (trial) => {
    (await another(trial)).enter();
  },
  pass,
};

const passes: Scenario = {
  ...on('batch', 'passes', 'Three passes over one shard, one of them slow beyond its time.'),
  retries: 2,
  limits: { slow: 1 },
  prepare: async (trial) => {
    await submitted(trial);
    for (let count = 0; count < 3; count += 1) pass(trial);
  },
  pass,
};

const kinds: readonly BackendKind[] = ['batch', 'kubernetes', 'host'];

/** Every situation that is explored. */
export const scenarios: readonly Scenario[] = [
  ...kinds.map(entryRetryPass),
  ...kinds.map(retryPass),
  ...kinds.map(stopRedrive),
  ...kinds.map(lateEnd),
  ...kinds.map(completion),
  ...kinds.map(stopWhileEnding),
  endedTwice,
  promotion,
  promotionStopped,
  twoRuns,
  beginning,
  passes,
  editTwice,
  judgeTwice,
  claimTwice,
];

/** The scenario of a name; throws with the names there are. */
export function scenarioOf(name: string): Scenario {
  const found = scenarios.find((one) => one.name === name);
  if (found) return found;
  throw new Error(
    `There is no scenario "${name}"; there are: ${scenarios.map((one) => one.name).join(', ')}.`,
  );
}
