import { readFileSync } from 'node:fs';
import type { Machine } from './machine.ts';
import type { Scenario } from './scenario.ts';
import { another, atWork, submitted } from './set-up.ts';
import { config } from './settings.ts';
import { invokeFor, pass } from './surroundings.ts';
import { start, type Trial } from './trial.ts';

const onBatch = { backend: 'batch', pass } as const;

/** Plays what was spawned last to its end. */
async function playLast(trial: Trial): Promise<void> {
  const last = trial.actors.at(-1);
  if (last) await trial.playAlone(last);
}

/** An operator stops the execution, and its end is settled before anything else happens. */
async function stopAndSettle(trial: Trial, machine: Machine): Promise<void> {
  machine.stop();
  const [end] = trial.deliveries.filter(({ what }) => what.kind === 'execution');
  if (end) invokeFor(trial, end);
  await playLast(trial);
  trial.deliveries.length = 0;
}

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
  limits: { stop: 2, redrive: 1, event: 2 },
  prepare: async (trial) => {
    const machine = await submitted(trial);
    await stopAndSettle(trial, machine);
    machine.redrive();
  },
};

/** A submission that takes longer than a backend's lists may lag. */
const slowSubmission: Scenario = {
  ...onBatch,
  name: 'slow-submission',
  about: 'A submission takes longer than lists may lag, and is refused or accepted at last.',
  retries: 2,
  limits: { slow: 3, stop: 1, event: 1 },
  prepare: async (trial) => {
    (await atWork(trial)).enter();
    pass(trial);
  },
};

/** The two jobs of a submission that was sent twice, neither of them on record. */
const unanswered: Scenario = {
  ...onBatch,
  name: 'unanswered',
  about:
    'A submission was sent twice and had no answer; the events of both jobs come, and an operator stops.',
  retries: 1,
  secondJobs: true,
  limits: { event: 3, stop: 1 },
  prepare: async (trial) => {
    (await atWork(trial)).enter();
    trial.backend.unanswered = 1;
    await playLast(trial);
    trial.deliveries.length = 0;
    trial.backend.catchUp();
    for (const job of trial.backend.jobs) trial.backend.to(job, 'running');
    pass(trial);
  },
};

/** Adds a second job of the name of the first one, which runs and of which an event is under way. */
function addSecondJob(trial: Trial): void {
  const [{ name = '' } = {}] = trial.backend.jobs;
  const second = { name, id: 'job-2', submittedAt: trial.now(), listed: true, state: 'running' } as const;
  trial.backend.jobs.push({ ...second });
  trial.deliver({ kind: 'job', job: { ...second } });
}

/** The first of two jobs ends. */
const secondJobEnd: Scenario = {
  ...onBatch,
  name: 'second-job and end',
  about: 'Of two jobs of one name the first ends while the second one is heard of.',
  retries: 1,
  secondJobs: true,
  limits: { event: 2, stop: 1, 'missed heartbeat': 1 },
  ends: ['completed'],
  prepare: async (trial) => {
    await submitted(trial);
    addSecondJob(trial);
    pass(trial);
  },
};

/** A stage that has succeeded is entered again by a redrive, while a second job of it is heard of and stopped. */
const secondJobRedrive: Scenario = {
  ...onBatch,
  name: 'second-job and redrive',
  about: 'A redrive enters a stage that has succeeded while its second job is heard of and stopped.',
  retries: 1,
  secondJobs: true,
  limits: { event: 1, 'event again': 1 },
  prepare: async (trial) => {
    const machine = await submitted(trial);
    const { runId } = machine;
    const [job] = trial.backend.jobs;
    if (job) trial.backend.to(job, 'succeeded', 'completed');
    await trial.stores.direct.runs.updateAttempt(
      { runId, stage: 'prepare', attempt: 1 },
      { status: 'succeeded', settledAt: new Date(start).toISOString(), taskToken: null },
      { status: ['submitted', 'running'] },
    );
    await stopAndSettle(trial, machine);
    addSecondJob(trial);
    machine.redrive();
    pass(trial);
  },
};

/** Events about the job of an attempt that somebody put on the bus who could not know. */
function foreignEvents(machine: Machine): object[] {
  const { runId, tenantId } = machine;
  const own = JSON.parse(readFileSync('events/samples/job-state-change-succeeded.json', 'utf8'));
  const batch = JSON.parse(readFileSync('events/samples/batch-job-succeeded.json', 'utf8'));
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
  about: 'Events say that a live job has succeeded: of another tenant, of another name, of another backend.',
  backend: 'host',
  pass,
  retries: 1,
  limits: { event: 3 },
  prepare: async (trial) => {
    const machine = await submitted(trial);
    for (const event of foreignEvents(machine)) trial.deliver({ kind: 'foreign', event });
  },
};

/** Situations in which somebody is late, given up, or tells what he cannot know. */
export const lateScenarios: readonly Scenario[] = [
  twoEntries,
  twoBeginnings,
  finishTwice,
  leaseLost,
  redrivenTwice,
  slowSubmission,
  unanswered,
  secondJobEnd,
  secondJobRedrive,
  foreignWords,
];
