import type { Actor } from './actors.ts';
import type { Machine } from './machine.ts';
import type { Scenario } from './scenario.ts';
import { playTo, submitted } from './set-up.ts';
import { invokeFor, pass } from './surroundings.ts';
import type { Trial } from './trial.ts';

/** A call that changes an attempt, in memory and on DynamoDB. */
export const changesAttempt = /runs\.changeAttempt$|UpdateItem ATTEMPT$/;
/** A call that changes a lease. */
export const changesLease = /leases\.\w+$|UpdateItem LEASE$/;
/** A call that changes a run. */
export const changesRun = /runs\.updateRun$|UpdateItem RUN$/;
/** A call that answers a stage with a success. */
export const answers = /callbacks\.succeed$/;

/** Who came last. */
export const newest = (trial: Trial): Actor | undefined => trial.actors.at(-1);

/** Plays whoever came last to the end, with nobody beside. */
export async function playNewest(trial: Trial): Promise<void> {
  const actor = newest(trial);
  if (actor) await trial.playAlone(actor);
}

/** Delivers all that is under way; each that hears of it goes on until it is about to change an attempt, for the so-many-th time. */
export async function hearAll(trial: Trial, times = 1): Promise<void> {
  for (const delivery of trial.deliveries.splice(0)) {
    invokeFor(trial, delivery);
    await playTo(trial, newest(trial), { label: changesAttempt, times });
  }
}

/** A stage's job is on record as running, so that the next entry has nothing to note of it. */
export async function running(trial: Trial): Promise<Machine> {
  const machine = await submitted(trial);
  const key = { runId: machine.runId, stage: 'prepare', attempt: 1 } as const;
  await trial.stores.direct.runs.updateAttempt(key, { status: 'running' }, {});
  return machine;
}

/** The first job ends by itself and has done its work. */
export function endsJob(trial: Trial): void {
  const [job] = trial.backend.jobs;
  if (job) trial.backend.to(job, 'succeeded', 'completed');
}

/** What differs from scenario to scenario. */
export interface Middle extends Partial<Pick<Scenario, 'limits' | 'retries' | 'secondJobs'>> {
  readonly about: string;
  readonly prepare: Scenario['prepare'];
}

/** Scenarios by their names. */
export function scenariosOf(middles: Readonly<Record<string, Middle>>): readonly Scenario[] {
  return Object.entries(middles).map(([name, middle]) => ({
    backend: 'batch',
    retries: 1,
    limits: {},
    pass,
    name,
    ...middle,
  }));
}
