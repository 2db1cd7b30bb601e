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
import { addSecondJob, playTo, stopAndSettle, submitted } from './set-up.ts';
import { invokeFor, pass } from './surroundings.ts';
import { start } from './trial.ts';

/** Each begins when somebody is about to write who has read what a redrive, or the end of one, has changed. */
const middles: Readonly<Record<string, Middle>> = {
  'stray-and-redrive': {
    about:
      'A second job is about to be noted when a redrive has taken over the stage, and is about to answer it.',
    secondJobs: true,
    prepare: async (trial) => {
      const machine = await submitted(trial);
      endsJob(trial);
      const key = { runId: machine.runId, stage: 'prepare', attempt: 1 } as const;
      const told = {
        status: 'succeeded',
        settledAt: new Date(start).toISOString(),
        taskToken: null,
      } as const;
      await trial.stores.direct.runs.updateAttempt(key, told, {});
      trial.deliveries.length = 0;
      await stopAndSettle(trial, machine);
      addSecondJob(trial);
      await hearAll(trial);
      machine.redrive();
      await playTo(trial, newest(trial), { label: answers });
      pass(trial);
    },
  },
  'close-and-redrive': {
    about: 'An attempt that was open for its second job is about to be closed when a redrive has its stage.',
    secondJobs: true,
    prepare: async (trial) => {
      const machine = await submitted(trial);
      endsJob(trial);
      addSecondJob(trial);
      trial.deliveries.length = 0;
      const key = { runId: machine.runId, stage: 'prepare', attempt: 1 } as const;
      const ended = { status: 'succeeded', strayJobId: 'job-2' } as const;
      await trial.stores.direct.runs.updateAttempt(key, ended, {});
      machine.stop();
      for (const delivery of trial.deliveries.splice(0)) invokeFor(trial, delivery);
      await playTo(trial, newest(trial), { label: /backend\.(cancel|stop)$/ });
      pass(trial);
      await playTo(trial, newest(trial), { label: changesAttempt, times: 2 });
      machine.redrive();
      await playTo(trial, newest(trial), { label: answers });
    },
  },
  'entry-and-redrive': {
    about: 'An entry is about to take over an attempt that a redrive has adopted.',
    prepare: async (trial) => {
      const machine = await running(trial);
      machine.fail('Lambda.Unknown');
      await playTo(trial, newest(trial), { label: changesAttempt });
      machine.stop();
      trial.deliveries.length = 0;
      machine.redrive();
      await playNewest(trial);
    },
  },
  'resumption-and-end': {
    about:
      'An entry of a redrive is about to take its run up that another one took up, and that ended since.',
    prepare: async (trial) => {
      const machine = await submitted(trial);
      await stopAndSettle(trial, machine);
      machine.redrive();
      const late = newest(trial);
      await playTo(trial, late, { label: changesLease });
      machine.fail('Lambda.Unknown');
      await playNewest(trial);
      await stopAndSettle(trial, machine);
      await playTo(trial, late, { label: changesRun });
    },
  },
  'end-and-resumption': {
    about: 'The end of a try is about to be recorded when a redrive has taken its run up.',
    prepare: async (trial) => {
      const machine = await submitted(trial);
      machine.stop();
      for (const delivery of trial.deliveries.splice(0)) invokeFor(trial, delivery);
      await playTo(trial, newest(trial), { label: changesRun });
      machine.redrive();
      await playNewest(trial);
    },
  },
  'redrive-and-settle': {
    about: 'A redrive is about to adopt an attempt that the end of the try before gives up.',
    prepare: async (trial) => {
      const machine = await submitted(trial);
      machine.stop();
      await hearAll(trial);
      machine.redrive();
      await playTo(trial, newest(trial), { label: changesAttempt });
    },
  },
};

/** Situations that begin in the middle of a redrive. */
export const redriveScenarios = scenariosOf(middles);
