import { stageNames } from '../../lib/training/stages.ts';
import { anAttempt, aRun, aTenant } from '../fixtures/records.ts';
import type { Actor } from './actors.ts';
import type { Machine } from './machine.ts';
import { inSameShard } from './settings.ts';
import { invokeFor } from './surroundings.ts';
import { start, type Trial } from './trial.ts';

const iso = (ms: number) => new Date(ms).toISOString();
const result = { vectors: 10, dimensions: 4, selfRetrieval: 1, checksums: {} };

/** Attempts of a run's stages that are done. */
export async function done(
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
export async function atWork(
  trial: Trial,
  {
    state = 'prepare',
    leaseMs = 600_000,
  }: { state?: 'prepare' | 'promote' | 'finish'; leaseMs?: number } = {},
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
export async function another(trial: Trial): Promise<Machine> {
  const arn = 'arn:again';
  const runId = inSameShard('acme-again');
  const { tenants } = trial.stores.direct;
  const { tenantId } = aRun();
  await tenants.put({ ...aTenant(), tenantId }, 0);
  await done(trial, runId, stageNames.slice(1));
  return trial.machine({ runId, tenantId, arn, state: 'begin' });
}

/** An operator stops the execution, or it is over, and its end is settled before anything else happens. */
export async function stopAndSettle(trial: Trial, machine: Machine): Promise<void> {
  machine.stop();
  const end = trial.deliveries.find(({ what }) => what.kind === 'execution');
  if (end) invokeFor(trial, end);
  const settle = trial.actors.at(-1);
  if (settle) await trial.playAlone(settle);
  trial.deliveries.length = 0;
}

/** Plays an actor alone until its next call is this one (the so-many-th of them), or until it has made so many calls. */
export async function playTo(
  trial: Trial,
  actor: Actor | undefined,
  {
    label,
    times = 1,
    calls = Number.POSITIVE_INFINITY,
  }: { readonly label?: RegExp; readonly times?: number; readonly calls?: number },
): Promise<void> {
  trial.begin();
  let met = 0;
  for (let made = -1; ; made += 1) {
    const option = trial.options().find((one) => one.actor === actor && one.outcome === 'done');
    if (option && label?.test(option.key)) met += 1;
    if (!option || made >= calls || met === times) break;
    await trial.take(option);
  }
  trial.last = undefined;
}

/** A stage's attempt as its entry leaves it: the job is running, known to the lists and on record. */
export async function submitted(trial: Trial, of: { readonly leaseMs?: number } = {}): Promise<Machine> {
  const machine = await atWork(trial, of);
  machine.enter();
  const entry = trial.actors.at(-1);
  if (entry) await trial.playAlone(entry);
  for (const job of trial.backend.jobs) trial.backend.to(job, 'running');
  trial.backend.catchUp();
  trial.deliveries.length = 0;
  return machine;
}

/** Adds a second job of the name of the first one, which runs and of which an event is under way. */
export function addSecondJob(trial: Trial): void {
  const [{ name = '' } = {}] = trial.backend.jobs;
  const id = `job-${trial.backend.jobs.length + 1}`;
  const second = { name, id, submittedAt: trial.now(), listed: true, state: 'running' } as const;
  trial.backend.jobs.push({ ...second });
  trial.deliver({ kind: 'job', job: { ...second } });
}
