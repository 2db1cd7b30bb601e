import type { LiveModel } from '../../lib/training/models/model.ts';
import { type Attempt, type Run, terminalStatuses } from '../../lib/training/run.ts';
import { sequentialIds } from '../fixtures/sequential-ids.ts';
import type { Actor } from './actors.ts';
import { isLive, type WorldJob } from './backend.ts';
import type { Machine } from './machine.ts';
import { outOfLine } from './memory-objects.ts';
import type { HeldLease } from './memory-tenant-stores.ts';
import type { Broken, Trial } from './trial.ts';

/** What must hold whatever happens in whatever order. */
export const promises = {
  one: 'an attempt has at most one live job',
  outlives: 'no job outlives its attempt by more than a pass',
  stopped: 'no job is stopped that somebody waits for',
  job: 'an attempt keeps its job',
  final: 'a final state is never overwritten',
  past: 'a redriven run is never ended by its past',
  answered: 'every token is answered once, and truly',
  ends: 'every run ends',
  leases: 'leases and fences balance',
  shares: 'a host counts the jobs that are alive',
  live: 'the live model is switched by the holder of the newest fence alone',
  lock: 'one at a time holds a lock',
  names: 'the fixed names follow the live model',
  own: 'what the scenario asks for',
} as const;

type Records = ReadonlyMap<string, object>;

/** One step: everything on record before and after, and who made it. */
export interface Step {
  readonly before: Records;
  readonly after: Records;
  readonly trial: Trial;
  readonly actor?: Actor;
}

const of = <T>(records: Records, kind: string): T[] =>
  [...records].filter(([key]) => key.startsWith(`${kind} `)).map(([, record]) => record as T);

/** All attempts on record. */
const attemptsOf = (records: Records): Attempt[] => of<Attempt>(records, 'attempt');

/** Names of the jobs whose attempts are closed. */
function closedJobs(records: Records): Set<string> {
  const closed = attemptsOf(records).filter(({ settledAt }) => settledAt !== undefined);
  return new Set(closed.map(({ jobName }) => jobName));
}

/**
 * Which jobs the next pass may not leave alive: those of closed attempts, and second jobs that are noted. A second job that
 * nobody has heard of yet is nobody's fault.
 */
export function doomedJobs(trial: Trial): (job: WorldJob) => boolean {
  const records = trial.stores.records();
  const closed = closedJobs(records);
  const known = new Set(
    attemptsOf(records).flatMap(({ jobName, jobId, strayJobId }) =>
      [jobId, strayJobId].map((id) => `${jobName} ${id}`),
    ),
  );
  const strays = new Set(attemptsOf(records).map(({ strayJobId }) => strayJobId));
  return ({ name, id }) =>
    strays.has(id) || (closed.has(name) && (!trial.scenario.secondJobs || known.has(`${name} ${id}`)));
}

const machineOf = (trial: Trial, runId: string): Machine | undefined =>
  trial.machines.find((machine) => machine.runId === runId);

const waitsForIt = (trial: Trial, attempt: Attempt): boolean =>
  machineOf(trial, attempt.runId)?.waitsFor === attempt.tokenDigest;

/** A stage is entered by whose run holds the tenant's lease: a new attempt, or an open one that an entry takes over. */
function enteredWithoutLease(
  before: Attempt | undefined,
  after: Attempt,
  records: Records,
): Broken | undefined {
  if (terminalStatuses.has(after.status) || before?.tokenDigest === after.tokenDigest) return undefined;
  // It only reads: no lease is needed.
  if (after.stage === 'profile') return undefined;
  const { holder } = of<HeldLease>(records, 'lease').find((one) => one.tenantId === after.tenantId) ?? {};
  if (holder === after.runId) return undefined;
  return { promise: promises.leases, detail: `${after.jobName} is entered under the lease of ${holder}` };
}

function brokenByAttempt(
  before: Attempt | undefined,
  after: Attempt,
  { trial, after: records }: Step,
): Broken | undefined {
  const entered = enteredWithoutLease(before, after, records);
  if (entered || !before) return entered;
  const name = `${after.jobName} ${before.status} -> ${after.status}`;
  if (before.jobId !== undefined && after.jobId !== before.jobId)
    return { promise: promises.job, detail: `${after.jobName} ${before.jobId} -> ${after.jobId}` };
  const { strayJobId } = before;
  if (
    strayJobId !== after.strayJobId &&
    trial.backend.jobs.some((job) => job.id === strayJobId && isLive(job))
  )
    return { promise: promises.outlives, detail: `${strayJobId} of ${after.jobName} is forgotten` };
  if (after.redriveCount < before.redriveCount)
    return { promise: promises.past, detail: `${after.jobName} goes back to try ${after.redriveCount}` };
  if (terminalStatuses.has(before.status) && after.status !== before.status)
    return { promise: promises.final, detail: name };
  if (before.tokenDigest !== after.tokenDigest && waitsForIt(trial, before))
    return {
      promise: promises.answered,
      detail: `${after.jobName} has another token than its stage waits for`,
    };
  if (before.settledAt === undefined && after.settledAt !== undefined && waitsForIt(trial, after))
    return {
      promise: promises.answered,
      detail: `${after.jobName} is closed (${after.status}) and its stage still waits`,
    };
  return undefined;
}

const ended: ReadonlySet<Run['status']> = new Set(['failed', 'aborted', 'timed-out']);
const untrained: ReadonlySet<Run['status']> = new Set(['busy', 'skipped']);

/** A run that is over stays so unless it is redriven; one that was begun is never one that was not. */
function overwritten(before: Run, after: Run): boolean {
  const isRedriven = after.status === 'running' && after.redriveCount > before.redriveCount;
  return (
    before.status === 'succeeded' ||
    (ended.has(before.status) && !isRedriven) ||
    (before.status === 'running' && untrained.has(after.status))
  );
}

function brokenByRun(before: Run | undefined, after: Run, { trial, actor }: Step): Broken | undefined {
  if (!before) return undefined;
  const detail = `${after.runId} ${before.status} -> ${after.status}, redrive ${after.redriveCount}`;
  if (before.modelVersion !== after.modelVersion)
    return { promise: promises.final, detail: `${after.runId} was made a second time` };
  if (after.redriveCount < before.redriveCount) return { promise: promises.past, detail };
  if (after.fence < before.fence)
    return { promise: promises.leases, detail: `${detail}: fence ${before.fence} -> ${after.fence}` };
  if (before.status === after.status) return undefined;
  if (overwritten(before, after)) return { promise: promises.final, detail };
  if (after.status === 'succeeded' && (actor?.redriveCount ?? Infinity) < before.redriveCount)
    return { promise: promises.past, detail: `${detail}, by try ${actor?.redriveCount}` };
  const machine = machineOf(trial, after.runId);
  const goesOn = machine?.status === 'RUNNING' && machine.redriveCount === after.redriveCount;
  if (ended.has(after.status) && goesOn) return { promise: promises.past, detail };
  return undefined;
}

/** A lease is prolonged while it is held, for the run that holds it, and an operator's is given back by whose it is. */
function byAnother(before: HeldLease, after: HeldLease, { after: records, actor }: Step): string | undefined {
  if (after.fence !== before.fence) return undefined;
  const run = of<Run>(records, 'run').find(({ runId }) => runId === before.holder);
  if (after.expiresAt !== before.expiresAt && (!before.held || run?.fence !== before.fence))
    return 'prolonged by somebody else';
  const isOperators = before.held && !after.held && before.holder.startsWith('operator-') && actor;
  return isOperators && before.holder !== `operator-${sequentialIds(actor.name).ulid()}`
    ? `given back by ${actor.name}`
    : undefined;
}

function brokenByLease(before: HeldLease | undefined, after: HeldLease, step: Step): Broken | undefined {
  if (!before) return undefined;
  const { trial, after: records } = step;
  const detail = JSON.stringify({ before, after });
  const wrong = byAnother(before, after, step);
  if (wrong !== undefined) return { promise: promises.leases, detail: `${wrong}: ${detail}` };
  if (after.fence < before.fence) return { promise: promises.leases, detail };
  const now = new Date(trial.now()).toISOString();
  if (before.held && after.holder !== before.holder && before.expiresAt > now)
    return { promise: promises.leases, detail: `taken from its holder: ${detail}` };
  if (after.holder !== before.holder && after.fence === before.fence)
    return { promise: promises.leases, detail };
  const run = of<Run>(records, 'run').find(({ runId }) => runId === before.holder);
  const machine = run && machineOf(trial, run.runId);
  const atWork =
    run?.status === 'running' && machine?.status === 'RUNNING' && machine.redriveCount === run.redriveCount;
  if (before.held && !after.held && atWork && run.fence === before.fence)
    return { promise: promises.leases, detail: `given back while its run is at work: ${detail}` };
  return undefined;
}

function brokenByLive(
  before: LiveModel | undefined,
  after: LiveModel,
  { after: records }: Step,
): Broken | undefined {
  // Nothing was switched: it was noted that the fixed names are in line.
  if (before?.modelVersion === after.modelVersion && before.fence === after.fence) return undefined;
  const lease = of<HeldLease>(records, 'lease').find(({ tenantId }) => tenantId === after.tenantId);
  const detail = `${before?.modelVersion} -> ${after.modelVersion}, fence ${after.fence}, lease ${lease?.fence}`;
  if (after.fence < Math.max(before?.fence ?? 0, lease?.fence ?? 0))
    return { promise: promises.live, detail };
  if (after.previousVersion !== before?.modelVersion)
    return { promise: promises.live, detail: `lost: ${detail}` };
  return undefined;
}

type Lock = { readonly holder: string; readonly expiresAt: string };

/** Whether a lock may lie about: whoever held it met a fault, and its time is over. */
const isLeft = (trial: Trial, { expiresAt }: Lock) =>
  trial.actors.some(({ faulted }) => faulted) && expiresAt <= new Date(trial.now()).toISOString();

/** A lock changes hands only when its holder is over or its time is, or when its holder gives it back. */
function brokenByLock(before: Lock, after: Lock | undefined, { trial, actor }: Step): Broken | undefined {
  const holder = trial.actors.find(
    ({ name, state }) =>
      state === 'running' &&
      (before.holder === `request-${name}` || before.holder === sequentialIds(name).ulid()),
  );
  const isOver = before.expiresAt <= new Date(trial.now()).toISOString();
  if (isOver || !holder || holder === actor || after?.holder === before.holder) return undefined;
  return { promise: promises.lock, detail: `${actor?.name} takes it from ${holder.name}` };
}

function brokenByRecord(key: string, step: Step): Broken | undefined {
  const [before, after] = [step.before.get(key), step.after.get(key)] as never[];
  if (key.startsWith('lock ')) return before ? brokenByLock(before, after, step) : undefined;
  if (!after) return undefined;
  if (key.startsWith('attempt ')) return brokenByAttempt(before, after, step);
  if (key.startsWith('run ')) return brokenByRun(before, after, step);
  if (key.startsWith('model ') && before)
    return { promise: promises.final, detail: `${key} is registered anew` };
  if (key.startsWith('lease ')) return brokenByLease(before, after, step);
  if (key.startsWith('live ')) return brokenByLive(before, after, step);
  return undefined;
}

/** What is noted as aligned is in line. */
function brokenByNames({ after, trial }: Step): Broken | undefined {
  for (const live of trial.objects.size === 0 ? [] : of<LiveModel>(after, 'live')) {
    const detail = live.fixedNamesAt === undefined ? undefined : outOfLine(trial.objects, live);
    if (detail !== undefined) return { promise: promises.names, detail };
  }
  return undefined;
}

/** Live models whose fixed names still have to follow. */
const unaligned = (trial: Trial, records: Records): LiveModel | undefined =>
  trial.objects.size === 0
    ? undefined
    : of<LiveModel>(records, 'live').find(({ fixedNamesAt }) => fixedNamesAt === undefined);

function brokenByJobs({ after, trial }: Step): Broken | undefined {
  for (const [name, jobs] of Map.groupBy(trial.backend.jobs.filter(isLive), (job) => job.name))
    if (jobs.length > 1 && !trial.scenario.secondJobs)
      return { promise: promises.one, detail: jobs.map(({ id }) => `${id} (${name})`).join(', ') };
  const { kind, queue } = trial.backend;
  const live = trial.backend.jobs.filter(isLive).length;
  if (kind === 'host' && queue.runningCount !== live)
    return { promise: promises.shares, detail: `${queue.runningCount} jobs are counted, ${live} are live` };
  const stopped = trial.backend.jobs.filter(({ reason }) => reason === 'cancelled');
  for (const { id, name } of stopped) {
    const alone = !trial.backend.jobs.some((job) => job.name === name && job.id !== id);
    const attempt = attemptsOf(after).find(({ jobName }) => jobName === name);
    if (
      attempt &&
      (alone || attempt.jobId === id) &&
      !terminalStatuses.has(attempt.status) &&
      waitsForIt(trial, attempt)
    )
      return { promise: promises.stopped, detail: `${id} (${name})` };
  }
  return undefined;
}

/** Answers tell what became of the job. */
function brokenByAnswer({ after, trial }: Step): Broken | undefined {
  for (const machine of trial.machines)
    for (const { tokenDigest, error } of machine.answers.splice(0)) {
      const attempt = attemptsOf(after).find((one) => one.tokenDigest === tokenDigest);
      const jobs = trial.backend.jobs.filter(({ name }) => name === attempt?.jobName);
      const detail = `${attempt?.jobName ?? 'no attempt'} was told as ${error ?? 'succeeded'}`;
      // Nobody waits for a job that was stopped: the try that it was stopped for is over.
      if (error === 'JobCancelled') return { promise: promises.past, detail };
      const wrong =
        error === undefined ? !jobs.some(({ state }) => state === 'succeeded') : jobs.some(isLive);
      if (wrong) return { promise: promises.answered, detail };
    }
  return undefined;
}

/** The first promise that a step broke. */
export function brokenByStep(step: Step): Broken | undefined {
  const keys = new Set([...step.before.keys(), ...step.after.keys()]);
  for (const key of keys) {
    if (step.before.get(key) === step.after.get(key)) continue;
    const broken = brokenByRecord(key, step);
    if (broken) return broken;
  }
  const refused = step.trial.machines.find(
    ({ status, error }) => status === 'FAILED' && error === 'RUN_OVER',
  );
  if (refused) return { promise: promises.past, detail: `${refused.runId} was refused as over` };
  return brokenByJobs(step) ?? brokenByAnswer(step) ?? brokenByNames(step);
}

/** Nobody is at work and nothing is left to be done. */
export function isQuiet(trial: Trial): boolean {
  const records = trial.stores.records();
  return (
    trial.actors.every(({ state }) => state === 'over') &&
    trial.machines.every(({ status }) => status !== 'RUNNING') &&
    !trial.backend.jobs.some(isLive) &&
    attemptsOf(records).every(({ settledAt }) => settledAt !== undefined) &&
    of<Run>(records, 'run').every(({ status }) => status !== 'running') &&
    unaligned(trial, records) === undefined
  );
}

function endedWrongly(trial: Trial, records: Records): string | undefined {
  for (const machine of trial.machines) {
    const run = records.get(`run ${machine.runId}`) as Run | undefined;
    if (machine.status === 'RUNNING') return `${machine.runId} still waits in ${machine.state}`;
    // A stop that comes after the last write finds a run that is done, and leaves it so.
    if (machine.state === 'profile') continue;
    if (!run ? machine.status === 'SUCCEEDED' : machine.status === 'SUCCEEDED' && run.status !== 'succeeded')
      return `${machine.runId} is ${machine.status} and on record as ${run?.status ?? 'nothing'}`;
  }
  const running = of<Run>(records, 'run').find(({ status }) => status === 'running');
  if (running) return `${running.runId} is on record as running`;
  const open = attemptsOf(records).find(({ settledAt }) => settledAt === undefined);
  return open && `${open.jobName} is ${open.status} and never closed`;
}

/**
 * A lease that nobody gave back, although nothing failed on the way, or that somebody keeps alive; and a run that failed
 * because it had taken its own lease twice.
 */
function leftLease(trial: Trial, records: Records): string | undefined {
  for (const { holder, held, expiresAt, fence } of of<HeldLease>(records, 'lease')) {
    const machine = machineOf(trial, holder);
    if (!machine && held && !trial.actors.some(({ faulted }) => faulted)) return `${holder} still holds it`;
    if (!machine || machine.status === 'RUNNING') continue;
    if (machine.error === 'StaleFence')
      return `${holder} failed: fence ${fence} of its own lease is newer than its record's`;
    const excused =
      trial.actors.some(({ faulted }) => faulted) && expiresAt <= new Date(trial.now()).toISOString();
    if (held && !excused) return `${holder} is over and still holds it`;
  }
  return undefined;
}

/** The first promise that is broken when all is quiet. */
export async function brokenAtEnd(trial: Trial): Promise<Broken | undefined> {
  const records = trial.stores.records();
  const isDoomed = doomedJobs(trial);
  const live = trial.backend.jobs.find((job) => isLive(job) && isDoomed(job));
  if (live) return { promise: promises.outlives, detail: `${live.id} (${live.name})` };
  const wrong = endedWrongly(trial, records);
  if (wrong) return { promise: promises.ends, detail: wrong };
  const left = leftLease(trial, records);
  if (left) return { promise: promises.leases, detail: left };
  const kept = trial.scenario.pass
    ? of<Lock>(records, 'lock').find((lock) => !isLeft(trial, lock))
    : undefined;
  if (kept) return { promise: promises.lock, detail: `${kept.holder} never gives it back` };
  const behind = unaligned(trial, records);
  if (behind) return { promise: promises.names, detail: `${behind.modelVersion} is live, and they do not` };
  const own = await trial.scenario.promises?.(trial);
  return own === undefined ? undefined : { promise: promises.own, detail: own };
}
