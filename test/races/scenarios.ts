import type { BackendKind } from './backend.ts';
import { lateScenarios } from './late-scenarios.ts';
import { middleScenarios } from './middle-scenarios.ts';
import {
  fixedNames,
  promotionAndRollback,
  slowAlignment,
  slowLock,
  slowNote,
  slowOperator,
} from './model-scenarios.ts';
import { claimTwice, editTwice, imageFailsFirst, imageFailsTwice, judgeTwice } from './record-scenarios.ts';
import { redriveScenarios } from './redrive-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { secondJobScenarios } from './second-job-scenarios.ts';
import { another, atWork, submitted } from './set-up.ts';
import { pass } from './surroundings.ts';

type Made = Pick<Scenario, 'name' | 'about' | 'backend'>;
const on = (backend: BackendKind, name: string, about: string): Made => ({
  name: backend === 'batch' ? name : `${name} on ${backend}`,
  about,
  backend,
});

const entryRetryPass = (backend: BackendKind): Scenario => ({
  ...on(backend, 'entry-retry-pass', 'A stage is entered, the entry is repeated, and the reconciler passes.'),
  retries: 2,
  limits: { time: 1, event: 1, ...(backend === 'batch' ? { stop: 1 } : {}) },
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

/** The same, and an operator stops the execution meanwhile. */
const retryPassStop: Scenario = {
  ...retryPass('batch'),
  ...on('batch', 'retry-pass-stop', 'As retry-pass, and an operator stops the execution.'),
  limits: { event: 1, stop: 1 },
};

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
  limits: { event: 2, 'event again': 1, 'missed heartbeat': 1, stop: 1 },
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
  limits: { time: 1, stop: 1, event: 1 },
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
  limits: { slow: 1, stop: 1 },
  prepare: async (trial) => {
    await submitted(trial);
    for (let count = 0; count < 3; count += 1) pass(trial);
  },
  pass,
};

/** A submission whose answer was lost and that the client sent again: two jobs of one name, one of which nobody waits for. */
const secondJob = (how: string, more: Pick<Scenario, 'limits'>): Scenario => ({
  ...on(
    'batch',
    `second-job${how}`,
    'A stage has two jobs of one name; the second one is stopped when it is seen.',
  ),
  retries: 1,
  secondJobs: true,
  ...more,
  prepare: async (trial) => {
    await submitted(trial);
    const [{ name = '' } = {}] = trial.backend.jobs;
    const second = { name, id: 'job-2', submittedAt: trial.now(), listed: true } as const;
    trial.backend.jobs.push({ ...second, state: 'running' });
    trial.deliver({ kind: 'job', job: { ...second, state: 'running' } });
    pass(trial);
  },
  pass,
  promises: async ({ actors, deliveries, backend }) => {
    const heard = deliveries.some(
      ({ what, times }) => times > 0 && what.kind === 'job' && what.job.id === 'job-2',
    );
    if (!heard || actors.some(({ faulted }) => faulted)) return undefined;
    const reason = backend.jobs.find(({ id }) => id === 'job-2')?.reason;
    return reason === 'cancelled' ? undefined : `the second job was seen and ended by itself: ${reason}`;
  },
});

const kinds: readonly BackendKind[] = ['batch', 'kubernetes', 'host'];

/** Every situation that is explored. */
export const scenarios: readonly Scenario[] = [
  ...kinds.map(entryRetryPass),
  ...kinds.map(retryPass),
  ...kinds.map(stopRedrive),
  ...kinds.map(lateEnd),
  ...kinds.map(completion),
  ...kinds.map(stopWhileEnding),
  retryPassStop,
  endedTwice,
  promotion,
  promotionStopped,
  twoRuns,
  beginning,
  passes,
  secondJob('', { limits: { event: 1, 'event again': 1, 'missed heartbeat': 1 } }),
  secondJob(' and stop', { limits: { event: 2, stop: 1, redrive: 1 } }),
  ...lateScenarios,
  ...secondJobScenarios,
  ...middleScenarios,
  ...redriveScenarios,
  fixedNames,
  slowAlignment,
  slowLock,
  slowNote,
  slowOperator,
  promotionAndRollback,
  editTwice,
  judgeTwice,
  claimTwice,
  imageFailsFirst,
  imageFailsTwice,
];

/** The scenario of a name; throws with the names there are. */
export function scenarioOf(name: string): Scenario {
  const found = scenarios.find((one) => one.name === name);
  if (found) return found;
  throw new Error(
    `There is no scenario "${name}"; there are: ${scenarios.map((one) => one.name).join(', ')}.`,
  );
}
