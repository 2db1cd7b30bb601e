import type { BackendKind } from './backend.ts';
import type { Trial } from './trial.ts';

/** What the surroundings may do, besides letting jobs go on and lists catch up. */
export type MoveKind =
  | 'stop'
  | 'redrive'
  | 'time'
  | 'slow'
  | 'given up'
  | 'missed heartbeat'
  | 'event'
  | 'event again';

/** How a job may end by itself while schedules are explored. */
export type JobEnd = 'completed' | 'error' | 'preempted';

/** A situation that is explored: what is there, who acts, and what may happen beside. */
export interface Scenario {
  readonly name: string;
  /** One sentence for the report. */
  readonly about: string;
  readonly backend: BackendKind;
  /** Retries of each try of an execution. */
  readonly retries: number;
  /** How often each kind of move may be made; a kind that is absent is never made. */
  readonly limits: Readonly<Partial<Record<MoveKind, number>>>;
  /** How jobs may end before everything becomes quiet; absent: they go on. */
  readonly ends?: readonly JobEnd[];
  /** Whether the backend holds two jobs of one name from the beginning: a submission that the client sent twice. */
  readonly secondJobs?: true;
  /** Records, jobs, machines and first actors. */
  prepare(trial: Trial): Promise<void>;
  /** Lets a reconciler's pass begin; absent where none is part of the picture. */
  pass?(trial: Trial): void;
  /** Promises of this scenario alone, checked when all is quiet. */
  promises?(trial: Trial): Promise<string | undefined>;
}
