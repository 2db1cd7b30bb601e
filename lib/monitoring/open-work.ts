import type { Backend } from '../tenants/tenant.ts';
import { type Attempt, terminalStatuses } from '../training/run.ts';
import { type JobStage, jobKinds, jobStageNames } from '../training/stages.ts';

/** How long the jobs that are open wait and run. */
export interface OpenWork {
  /** Seconds that the job which waits longest has waited, by backend; 0 where none waits. */
  readonly queueAge: Readonly<Record<Backend, number>>;
  /** Part of its time limit that the job which ran longest has used, by stage; 0 where none runs. */
  readonly timeUsed: Readonly<Record<JobStage, number>>;
}

/** What the attempts that are open say at a moment, in milliseconds. */
export function openWorkOf(
  attempts: readonly Pick<
    Attempt,
    'stage' | 'backend' | 'status' | 'intentAt' | 'submittedAt' | 'startedAt'
  >[],
  now: number,
): OpenWork {
  const queueAge = { eks: 0, batch: 0, local: 0 };
  const timeUsed = Object.fromEntries(jobStageNames.map((stage) => [stage, 0])) as Record<JobStage, number>;
  for (const { stage, backend, status, intentAt, submittedAt, startedAt } of attempts) {
    if (terminalStatuses.has(status)) continue;
    const seconds = Math.max(0, now - Date.parse(startedAt ?? submittedAt ?? intentAt)) / 1_000;
    if (startedAt === undefined && status !== 'running')
      queueAge[backend] = Math.max(queueAge[backend], seconds);
    else timeUsed[stage] = Math.max(timeUsed[stage], seconds / jobKinds[stage].timeoutSeconds);
  }
  return { queueAge, timeUsed };
}
