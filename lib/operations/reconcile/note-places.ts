import type { JobRunner } from '../../ports/job-runner.ts';
import type { Ports } from '../../ports/ports.ts';
import type { JobObservation } from '../../training/attempts/job.ts';
import { type Attempt, terminalStatuses } from '../../training/run.ts';

type Needed = Pick<Ports, 'runs' | 'jobs' | 'clock' | 'log'>;

/** What is open, what its backends say of it, and until when something new is begun (milliseconds). */
interface Seen {
  readonly attempts: readonly Attempt[];
  readonly jobs: ReadonlyMap<string, JobObservation>;
  readonly until: number;
}

async function noteOf(ports: Needed, runner: JobRunner, own: readonly Attempt[], { jobs, until }: Seen) {
  const places = await runner.placesOf?.(own.flatMap(({ jobName }) => jobs.get(jobName) ?? []));
  for (const attempt of own) {
    const place = places?.get(attempt.jobName);
    if (place === undefined || ports.clock.now() >= until) continue;
    await ports.runs.changeAttempt(attempt, { place }, { jobName: attempt.jobName });
  }
}

/**
 * Notes on what type of instance, and in which zone, jobs run that were not seen running before: they are priced by it. Nothing depends on it, so
 * that a backend which does not say is only logged.
 */
export async function notePlaces(ports: Needed, seen: Seen): Promise<void> {
  const running = seen.attempts.filter(
    ({ jobName, status, place }) =>
      place === undefined && !terminalStatuses.has(status) && seen.jobs.get(jobName)?.state === 'running',
  );
  for (const [backend, own] of Map.groupBy(running, (attempt) => attempt.backend)) {
    const runner = ports.jobs[backend];
    if (!runner?.placesOf || ports.clock.now() >= seen.until) continue;
    try {
      await noteOf(ports, runner, own, seen);
    } catch (error) {
      ports.log.warn('places of jobs not noted', { backend, jobs: own.length, error: String(error) });
    }
  }
}
