import type { AttemptChanges } from '../../lib/ports/run-store.ts';
import type { Machine } from './machine.ts';
import type { Scenario } from './scenario.ts';
import { addSecondJob, atWork, playTo, stopAndSettle, submitted } from './set-up.ts';
import { invokeFor, pass } from './surroundings.ts';
import { start, type Trial } from './trial.ts';

const onBatch = { backend: 'batch', pass } as const;

/** An entry whose submission was sent three times and had no answer: three jobs of one name, none of them on record. */
async function unansweredEntry(trial: Trial): Promise<Machine> {
  const machine = await atWork(trial);
  machine.enter();
  trial.backend.unanswered = 1;
  const entry = trial.actors.at(-1);
  if (entry) await trial.playAlone(entry);
  return machine;
}

const tellJobs = ({ backend }: Trial) => {
  for (const job of backend.jobs) backend.to(job, 'running');
};

const unanswered: Scenario = {
  ...onBatch,
  name: 'unanswered',
  about:
    'A submission was sent three times and had no answer; the events of all jobs come, and an operator stops.',
  retries: 1,
  secondJobs: true,
  limits: { event: 3, stop: 1 },
  prepare: async (trial) => {
    await unansweredEntry(trial);
    trial.backend.catchUp();
    tellJobs(trial);
    pass(trial);
  },
};

const unansweredStopped: Scenario = {
  ...onBatch,
  name: 'unanswered and stopped',
  about: 'As unanswered, and the end of the execution was settled before any event of a job came.',
  retries: 0,
  secondJobs: true,
  limits: { event: 3 },
  prepare: async (trial) => {
    const machine = await unansweredEntry(trial);
    await stopAndSettle(trial, machine);
    trial.backend.catchUp();
    tellJobs(trial);
    pass(trial);
  },
};

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

/** A run that was ended after its stage had succeeded; a second job of the stage runs. */
async function endedWithSecondJob(trial: Trial, over: AttemptChanges): Promise<Machine> {
  const machine = await submitted(trial);
  const [job] = trial.backend.jobs;
  if (job) trial.backend.to(job, 'succeeded', 'completed');
  const key = { runId: machine.runId, stage: 'prepare', attempt: 1 } as const;
  await trial.stores.direct.runs.updateAttempt(key, { status: 'succeeded', ...over }, {});
  trial.deliveries.length = 0;
  addSecondJob(trial);
  return machine;
}

const told = { settledAt: new Date(start).toISOString(), taskToken: null };

/** A stage that has succeeded is entered again by a redrive, while a second job of it is heard of. */
const secondJobHeard: Scenario = {
  ...onBatch,
  name: 'second-job and redrive',
  about: 'A redrive enters a stage that has succeeded while its second job is heard of.',
  retries: 1,
  secondJobs: true,
  limits: {},
  prepare: async (trial) => {
    const machine = await endedWithSecondJob(trial, told);
    const [heard] = trial.deliveries;
    await stopAndSettle(trial, machine);
    if (heard) invokeFor(trial, heard);
    const completion = trial.actors.at(-1);
    await playTo(trial, completion, { calls: 1 });
    machine.redrive();
    pass(trial);
  },
};

/** The same while the second job is stopped. */
const secondJobStopped: Scenario = {
  ...onBatch,
  name: 'second-job stopped and redrive',
  about: 'A redrive enters a stage that has succeeded while its second job is stopped.',
  retries: 1,
  secondJobs: true,
  limits: {},
  prepare: async (trial) => {
    const machine = await endedWithSecondJob(trial, told);
    await stopAndSettle(trial, machine);
    const key = { runId: machine.runId, stage: 'prepare', attempt: 1 } as const;
    const noted = { strayJobId: 'job-2', abandonedAt: new Date(start).toISOString(), settledAt: null };
    await trial.stores.direct.runs.updateAttempt(key, noted, {});
    pass(trial);
    await playTo(trial, trial.actors.at(-1), { label: /backend\.stop$/ });
    machine.redrive();
  },
};

/** An execution ends while a second job of its stage is heard of, whose first one has succeeded. */
const secondJobEnded: Scenario = {
  ...onBatch,
  name: 'second-job and settle',
  about: 'The end of an execution is settled while a second job of a stage that has succeeded is heard of.',
  retries: 0,
  secondJobs: true,
  limits: { event: 1 },
  prepare: async (trial) => {
    const machine = await endedWithSecondJob(trial, {});
    machine.stop();
    const end = trial.deliveries.pop();
    if (end) invokeFor(trial, end);
    await playTo(trial, trial.actors.at(-1), { calls: 4 });
  },
};

/** A second job is stopped by two at once, while a third one is heard of. */
const thirdJob: Scenario = {
  ...onBatch,
  name: 'third-job',
  about: 'A second job is stopped by a pass and by the end of its run while a third one is heard of.',
  retries: 0,
  secondJobs: true,
  limits: { event: 1, 'event again': 1 },
  prepare: async (trial) => {
    const machine = await submitted(trial);
    addSecondJob(trial);
    addSecondJob(trial);
    trial.deliveries.shift();
    const key = { runId: machine.runId, stage: 'prepare', attempt: 1 } as const;
    await trial.stores.direct.runs.updateAttempt(key, { strayJobId: 'job-2' }, {});
    machine.stop();
    const end = trial.deliveries.pop();
    if (end) invokeFor(trial, end);
    await playTo(trial, trial.actors.at(-1), { label: /backend\.stop$/ });
    pass(trial);
  },
};

/** Situations in which a backend has more jobs of a name than one. */
export const secondJobScenarios: readonly Scenario[] = [
  unanswered,
  unansweredStopped,
  secondJobEnd,
  secondJobHeard,
  secondJobStopped,
  secondJobEnded,
  thirdJob,
];
