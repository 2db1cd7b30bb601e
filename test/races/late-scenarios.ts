import { readFileSync } from 'node:fs';
import { aRun } from '../fixtures/records.ts';
import type { Machine } from './machine.ts';
import type { Scenario } from './scenario.ts';
import { another, atWork, playTo, stopAndSettle, submitted } from './set-up.ts';
import { config, graceMs, inSameShard } from './settings.ts';
import { pass } from './surroundings.ts';

const onBatch = { backend: 'batch', pass } as const;

/** An entry that is given up by its caller goes on beside the one that is asked for instead. */
const twoEntries: Scenario = {
  ...onBatch,
  name: 'two-entries',
  about:
    'The caller of an entry has no answer and enters again, while the first one goes on and the job ends.',
  retries: 2,
  limits: { 'given up': 1, event: 2 },
  ends: ['completed'],
  prepare: async (trial) => {
    (await atWork(trial)).enter();
  },
};

/** The same where a run begins: nobody is there yet whose record is not touched by chance. */
const twoBeginnings: Scenario = {
  ...onBatch,
  name: 'two-beginnings',
  about: 'The caller of a beginning has no answer and begins again, while the first ones go on.',
  retries: 3,
  limits: { 'given up': 2 },
  prepare: async (trial) => {
    (await another(trial)).enter();
  },
};

/** A run that has succeeded gives its lease back once more, when another one of its tenant is at work. */
const finishTwice: Scenario = {
  ...onBatch,
  name: 'finish-twice',
  about: 'A run is finished twice while another run of its tenant begins.',
  retries: 2,
  limits: { 'given up': 1, stop: 1, redrive: 1, event: 1 },
  prepare: async (trial) => {
    (await atWork(trial, { state: 'finish' })).enter();
    (await another(trial)).enter();
  },
};

/** A run that was silent for so long that another one of its tenant has the lease. */
const leaseLost: Scenario = {
  ...onBatch,
  name: 'lease-lost',
  about: 'A run that was silent beyond its lease goes on while another run of its tenant begins.',
  retries: 2,
  limits: { time: 1, 'missed heartbeat': 1, event: 1 },
  ends: ['preempted'],
  prepare: async (trial) => {
    await submitted(trial, { leaseMs: 60_000 });
    (await another(trial)).enter();
    pass(trial);
  },
};

/** Three tries of one execution. */
const redrivenTwice: Scenario = {
  ...onBatch,
  name: 'redriven-twice',
  about: 'An execution that was redriven is stopped and redriven again while its second try is entered.',
  retries: 1,
  limits: { stop: 2, redrive: 1, event: 1 },
  prepare: async (trial) => {
    const machine = await submitted(trial);
    await stopAndSettle(trial, machine);
    machine.redrive();
    await playTo(trial, trial.actors.at(-1), { calls: 1 });
  },
};

/** A submission that is refused at last, when lists cannot lag behind it any more and somebody else submits. */
const slowRefusal: Scenario = {
  ...onBatch,
  name: 'slow-refusal',
  about: 'A submission is refused after so long that a pass submits meanwhile.',
  retries: 2,
  limits: {},
  prepare: async (trial) => {
    (await atWork(trial)).enter();
    const entry = trial.actors.at(-1);
    await playTo(trial, entry, { label: /backend\.submit$/ });
    if (entry) entry.points = entry.points.map((point) => ({ ...point, outcomes: ['refused'] }));
    trial.pass(graceMs);
    pass(trial);
  },
};

/** Events about the job of an attempt that somebody put on the bus who could not know. */
function foreignEvents(machine: Machine): object[] {
  const { runId, tenantId } = machine;
  const own = JSON.parse(readFileSync('events/samples/job-state-change-succeeded.json', 'utf8'));
  const batch = JSON.parse(readFileSync('events/samples/batch-job-failed.json', 'utf8'));
  const data = { stage: 'prepare', attempt: 1, jobName: `${runId}-prepare-1`, jobId: 'job-1' };
  const detail = { ...own.detail, runId, tenantId };
  const told = (over: object, more: object) => ({
    ...own,
    detail: { ...detail, ...over, data: { ...data, state: 'succeeded', reason: 'completed', ...more } },
  });
  const variables = { EPSILON_RUN_ID: runId, EPSILON_TRAINING_STAGE: 'prepare', EPSILON_ATTEMPT: '1' };
  const environment = (
    batch.detail.container.environment as { readonly name: string; readonly value: string }[]
  ).map(({ name, value }) => ({
    name,
    value:
      (variables as Record<string, string>)[name] ??
      (value.startsWith('s3://') ? `s3://${config.dataBucket}/${tenantId}/runs/${runId}/prepare/1/` : value),
  }));
  return [
    told({ tenantId: 'beta' }, {}),
    told({}, { jobName: `${tenantId}.${runId.slice(tenantId.length + 1)}.prepare.1` }),
    {
      ...batch,
      detail: { ...batch.detail, ...data, container: { ...batch.detail.container, environment } },
    },
  ];
}

/** Words about a job by whom they cannot come from: the job is alive, and no such word ends it. */
const foreignWords: Scenario = {
  name: 'foreign-words',
  about: 'Events say that a live job is over: of another tenant, of another name, of another backend.',
  backend: 'host',
  pass,
  retries: 1,
  limits: { event: 3 },
  prepare: async (trial) => {
    const machine = await submitted(trial);
    for (const event of foreignEvents(machine)) trial.deliver({ kind: 'foreign', event });
  },
};

/** The end of a job is told while its stage is entered anew. */
const entryAndEnd: Scenario = {
  ...onBatch,
  name: 'entry-and-end',
  about: 'A stage whose caller gave up is entered anew while the end of its job is told.',
  retries: 1,
  limits: { event: 1 },
  prepare: async (trial) => {
    const machine = await submitted(trial);
    machine.fail('Lambda.Unknown');
    const [job] = trial.backend.jobs;
    if (job) trial.backend.to(job, 'succeeded', 'completed');
  },
};

/** A stage is entered anew while its execution ends. */
const entryAndStop: Scenario = {
  ...onBatch,
  name: 'entry-and-stop',
  about: 'A stage is entered anew by an entry that has read its run before its execution ended.',
  retries: 1,
  limits: { redrive: 1 },
  prepare: async (trial) => {
    const machine = await submitted(trial);
    trial.pass(60_000);
    machine.fail('Lambda.Unknown');
    await playTo(trial, trial.actors.at(-1), { calls: 1 });
    await stopAndSettle(trial, machine);
  },
};

/** A finish whose execution was stopped and redriven meanwhile. */
const finishRedriven: Scenario = {
  ...onBatch,
  name: 'finish-redriven',
  about: 'A run is finished by a try of its execution that was stopped and redriven meanwhile.',
  retries: 1,
  limits: { stop: 1, redrive: 1, event: 1 },
  prepare: async (trial) => {
    (await atWork(trial, { state: 'finish' })).enter();
    await playTo(trial, trial.actors.at(-1), { calls: 2 });
  },
};

/** A promotion that was decided under a lease which another run takes before the write. */
const slowPromotion: Scenario = {
  ...onBatch,
  name: 'slow-promotion',
  about: 'A promotion is about to be written when another run of its tenant takes the lease.',
  retries: 1,
  limits: {},
  prepare: async (trial) => {
    (await atWork(trial, { state: 'promote', leaseMs: 0 })).enter();
    await playTo(trial, trial.actors.at(-1), { label: /models\.promote$|TransactWriteItems LIVE/ });
    (await another(trial)).enter();
  },
};

/** Two passes over a shard with nothing to do, one of them slow beyond its lock's time. */
const slowPass: Scenario = {
  ...onBatch,
  name: 'slow-pass',
  about: 'Two passes over an empty shard, the first one slow beyond its time.',
  retries: 0,
  limits: { slow: 1 },
  prepare: async (trial) => {
    for (let count = 0; count < 2; count += 1) pass(trial);
  },
};

/** A machine whose jobs look at datasets: there is no run whose end gives them up. */
const profile = (how: string, limits: Scenario['limits']): Scenario => ({
  ...onBatch,
  name: `profile${how}`,
  about: 'A state that looks at datasets is entered, and its execution is stopped, or enters again.',
  retries: 2,
  limits,
  ends: ['completed'],
  prepare: async (trial) => {
    const { tenantId } = aRun();
    trial.machine({ runId: inSameShard('look'), tenantId, arn: 'arn:look', state: 'profile' }).enter();
  },
});

/** Situations in which somebody is late, given up, or tells what he cannot know. */
export const lateScenarios: readonly Scenario[] = [
  twoEntries,
  twoBeginnings,
  finishTwice,
  leaseLost,
  redrivenTwice,
  entryAndEnd,
  entryAndStop,
  finishRedriven,
  slowPass,
  slowPromotion,
  slowRefusal,
  foreignWords,
  profile('-and-entry', { 'given up': 1, event: 2, 'missed heartbeat': 1 }),
  profile('-and-stop', { stop: 1, redrive: 1, event: 1 }),
];
