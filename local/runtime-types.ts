import type { Actor } from '../lib/audit/record.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { IdSource } from '../lib/ports/id-source.ts';
import type { OperatorApi } from '../lib/ports/operator-api.ts';
import type { Random } from '../lib/ports/random.ts';
import type { LocalPorts } from './adapters/functions.ts';
import type { Self } from './control/server.ts';
import type { Waiting } from './host/outside.ts';
import type { JobListener, LocalJobRunner } from './jobs/local-job-runner.ts';
import type { LocalStores } from './stores/local-stores.ts';
import type { StateDirectory } from './stores/state-directory.ts';

/** How a runtime is opened. */
export interface RuntimeOptions {
  /** Folder of serverless.yml. */
  readonly projectDir: string;
  readonly stateDir: string;
  /** A writer takes the lock and runs everything; a reader only looks. */
  readonly mode: 'write' | 'read';
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly ids?: IdSource;
  readonly random?: Random;
  /** Factor on the pauses of Retry; 1 is the machines' own. */
  readonly retryScale?: number;
  /** Milliseconds a job gets between SIGTERM and SIGKILL. */
  readonly graceMs?: number;
  /** Folder of the backup repository, instead of that of the settings. */
  readonly backups?: string;
  /** Notify nobody, whatever the settings say: a copy of a state must not speak for it. */
  readonly isolated?: boolean;
  /** Run the declared schedules. */
  readonly schedules?: boolean;
  readonly onFault?: (error: Error) => void;
  /** Hears when something outside has to be waited for, such as room on the disk, and when that is over. */
  readonly onWaiting?: (waiting: Waiting) => void;
  /** When it aborts, operators' calls and the opening no longer wait for what is outside. */
  readonly signal?: AbortSignal;
  /** Runs jobs in another way than as processes; tests do. */
  readonly makeRunner?: (listener: JobListener) => LocalJobRunner;
  /** Keeps records elsewhere than in the state directory; tests do. */
  readonly makeStores?: (own: LocalStores, clock: Clock) => LocalStores;
}

/** The control plane in this process. */
export interface Runtime extends Self {
  /** The operator's port for the user of this process. */
  readonly control: OperatorApi;
  /** The operator's port for callers of another kind. */
  controlFor(actor: Actor): OperatorApi;
  /** What the handlers are given. */
  readonly ports: LocalPorts;
  readonly state: StateDirectory;
  /** Where backups go and how many minutes apart they are made; undefined for a reader. */
  readonly backups: { readonly folder: string; readonly everyMinutes: number | 'off' } | undefined;
  /** Begins to back up by itself, each `everyMs` milliseconds or as often as the settings say. */
  keepBackups(everyMs?: number): Promise<void>;
  /** Resolves when nothing more happens without time passing, a job ending or somebody calling. */
  idle(): Promise<void>;
  close(): Promise<void>;
}
