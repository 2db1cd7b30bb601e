import { aRun } from '../fixtures/records.ts';
import {
  answers,
  changesAttempt,
  changesLease,
  changesRun,
  endsJob,
  hearAll,
  type Middle,
  newest,
  playNewest,
  running,
  scenariosOf,
} from './middle.ts';
import { addSecondJob, another, atWork, playTo, stopAndSettle, submitted } from './set-up.ts';
import { graceMs } from './settings.ts';
import { invokeFor, pass } from './surroundings.ts';

/** Each begins when somebody is about to write who has read what is no longer so. */
const middles: Readonly<Record<string, Middle>> = {
  'renewal-and-lease': {
    about: 'A pass is about to renew a lease that another run has taken, which is not on record yet.',
    prepare: async (trial) => {
      await submitted(trial);
      trial.pass(900_000);
      pass(trial);
      await playTo(trial, newest(trial), { label: changesLease });
      trial.pass(1_000);
      (await another(trial)).enter();
      await playTo(trial, newest(trial), { label: /runs\.createRun$|TransactWriteItems RUN/ });
    },
  },
  'renewal-and-end': {
    about: 'A pass is about to renew a lease that the end of its run has given back.',
    prepare: async (trial) => {
      const machine = await submitted(trial);
      trial.pass(60_000);
      pass(trial);
      await playTo(trial, newest(trial), { label: changesLease });
      await stopAndSettle(trial, machine);
    },
  },
  'end-and-entry': {
    about: 'The end of a job is about to be answered when its stage is entered anew.',
    prepare: async (trial) => {
      const machine = await submitted(trial);
      endsJob(trial);
      for (const delivery of trial.deliveries.splice(0)) invokeFor(trial, delivery);
      await playTo(trial, newest(trial), { label: answers });
      machine.fail('Lambda.Unknown');
      await playTo(trial, newest(trial), { label: answers });
    },
  },
  'progress-and-end': {
    about: 'A job is about to be noted as running when its end is on record.',
    prepare: async (trial) => {
      await submitted(trial);
      const [job] = trial.backend.jobs;
      if (job) trial.deliver({ kind: 'job', job: { ...job } });
      await hearAll(trial);
      endsJob(trial);
      for (const delivery of trial.deliveries.splice(0)) invokeFor(trial, delivery);
      await playTo(trial, newest(trial), { label: answers });
      pass(trial);
    },
  },
  'end-and-settle': {
    about: 'The end of a job is about to be recorded when its execution has ended.',
    prepare: async (trial) => {
      const machine = await submitted(trial);
      endsJob(trial);
      await hearAll(trial);
      await stopAndSettle(trial, machine);
    },
  },
  'settle-and-end': {
    about: 'An attempt is about to be given up when its job has ended.',
    prepare: async (trial) => {
      const machine = await submitted(trial);
      machine.stop();
      await hearAll(trial);
      endsJob(trial);
      for (const delivery of trial.deliveries.splice(0)) invokeFor(trial, delivery);
    },
  },
  'stray-and-settle': {
    about: 'A second job is about to be noted when its attempt has been given up.',
    secondJobs: true,
    prepare: async (trial) => {
      const machine = await submitted(trial);
      addSecondJob(trial);
      await hearAll(trial, 2);
      await stopAndSettle(trial, machine);
    },
  },
  'two-strays': {
    about: 'A second and a third job are about to be noted.',
    secondJobs: true,
    prepare: async (trial) => {
      await submitted(trial);
      addSecondJob(trial);
      addSecondJob(trial);
      await hearAll(trial);
    },
  },
  'strays-of-none': {
    about:
      'Three jobs of an attempt that was given up without any are about to be noted, and the first to be stopped.',
    retries: 0,
    secondJobs: true,
    prepare: async (trial) => {
      const machine = await atWork(trial);
      machine.enter();
      trial.backend.unanswered = 1;
      const entry = newest(trial);
      if (entry) await trial.playAlone(entry);
      await stopAndSettle(trial, machine);
      trial.backend.catchUp();
      for (const job of trial.backend.jobs.slice(1)) trial.backend.to(job, 'running');
      await hearAll(trial);
      pass(trial);
      await playTo(trial, newest(trial), { label: /backend\.stop$/ });
    },
  },
  'release-and-lease': {
    about: 'A beginning that comes too late is about to give its lease back when another run has it.',
    prepare: async (trial) => {
      const { runId, tenantId, executionArn: arn } = aRun();
      const later = await another(trial);
      await trial.stores.direct.runs.createRun(aRun({ status: 'succeeded', fence: 0 }));
      const first = trial.machine({ runId, tenantId, arn, state: 'begin' });
      first.enter();
      await playTo(trial, newest(trial), { label: changesLease, times: 2 });
      // Its caller has given it up, and the execution has succeeded without it.
      first.status = 'SUCCEEDED';
      trial.pass(901_000);
      later.enter();
      await playNewest(trial);
    },
  },
  'two-fences': {
    about:
      'A beginning whose caller gave up is about to note its lease when another one has noted a newer one.',
    prepare: async (trial) => {
      const machine = await another(trial);
      const { runId, tenantId, arn } = machine;
      await trial.stores.direct.runs.createRun(aRun({ runId, tenantId, executionArn: arn, fence: 0 }));
      machine.enter();
      await playTo(trial, newest(trial), { label: changesRun });
      machine.fail('Lambda.Unknown');
    },
  },
  'two-submissions': {
    about: 'A pass is about to submit for an intent that an entry submits for.',
    prepare: async (trial) => {
      (await atWork(trial)).enter();
      const entry = newest(trial);
      trial.backend.refuses = 1;
      if (entry) await trial.playAlone(entry);
      trial.pass(graceMs);
      const next = newest(trial);
      pass(trial);
      await playTo(trial, newest(trial), { label: changesAttempt });
      await playTo(trial, next, { label: /backend\.submit$/ });
    },
  },
  'submission-and-end': {
    about: 'A submission is about to be noted when its job has ended, which is on record.',
    prepare: async (trial) => {
      (await atWork(trial)).enter();
      await playTo(trial, newest(trial), { label: changesAttempt });
      endsJob(trial);
      for (const delivery of trial.deliveries.splice(0)) invokeFor(trial, delivery);
      await playTo(trial, newest(trial), { label: answers });
    },
  },
  'submission-and-settle': {
    about: 'A pass is about to submit for an intent whose execution has ended.',
    retries: 0,
    prepare: async (trial) => {
      const machine = await atWork(trial);
      machine.enter();
      const entry = newest(trial);
      trial.backend.refuses = 1;
      machine.retries = 1;
      if (entry) await trial.playAlone(entry);
      trial.pass(graceMs);
      pass(trial);
      await playTo(trial, newest(trial), { label: changesAttempt });
      await stopAndSettle(trial, machine);
    },
  },
  'entry-and-retry': {
    about: 'An entry that its caller gave up is about to take over an attempt that the entry after it has.',
    retries: 2,
    prepare: async (trial) => {
      const machine = await running(trial);
      machine.fail('Lambda.Unknown');
      await playTo(trial, newest(trial), { label: changesAttempt });
      machine.fail('Lambda.Unknown');
      await playNewest(trial);
      pass(trial);
    },
  },
  'late-unlock': {
    about: 'A pass that was slow beyond its lock is about to give it back when the next pass has it.',
    retries: 0,
    prepare: async (trial) => {
      pass(trial);
      await playTo(trial, newest(trial), { label: /locks\.unlock$|DeleteItem LOCK$/ });
      trial.pass(300_000);
      pass(trial);
      await playTo(trial, newest(trial), { calls: 2 });
    },
  },
};

/** Situations that begin in the middle. */
export const middleScenarios = scenariosOf(middles);
