import { tokenDigestOf } from '../../lib/training/attempts/token-digest.ts';
import type { Actor, Ending } from './actors.ts';

/** States of the stand-in for a tenant's state machine, in their order. */
export type StateName = 'begin' | 'prepare' | 'promote' | 'finish' | 'profile';

/** States that wait for a job's end; `profile` is that of a machine of its own, whose jobs have no run. */
const waiting: ReadonlySet<StateName> = new Set(['prepare', 'profile']);

/** Status of an execution. */
export type MachineStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';

/** What the machine asks of its surroundings. */
export interface MachineEvents {
  /** A state is entered: its function is to be invoked; `visit` names the entry, `token` is a stage's. */
  entered(machine: Machine, visit: number, token: string | undefined): void;
  /** The execution is over and did not succeed. */
  ended(machine: Machine, error: string): void;
}

/** Errors that statemachines/tenant-model-training.asl.json retries at each state. */
const retried: ReadonlySet<string> = new Set([
  'JobPreempted',
  'JobLost',
  'JobFailed',
  'TenantBusy',
  'Throttled',
  'States.HeartbeatTimeout',
  'Lambda.Unknown',
]);

/** Milliseconds without a heartbeat after which a stage is entered again (HeartbeatSeconds of the stages' states). */
export const heartbeatMs = 900_000;

/** An answer that was delivered to a waiting stage. */
export interface Answer {
  readonly tokenDigest: string;
  /** Undefined for a success. */
  readonly error?: string;
}

/** One execution of a tenant's run: enters states, waits for tokens, retries, ends, is stopped and redriven. */
export class Machine {
  readonly arn: string;
  readonly runId: string;
  readonly tenantId: string;
  status: MachineStatus = 'RUNNING';
  redriveCount = 0;
  state: StateName;
  /** Retries that are left in this try of the execution. */
  retries: number;
  /** Retries of the state that it is in, in this try of the execution. */
  retryCount = 0;
  /** The token that the stage waits for. */
  token: string | undefined;
  /** Whom the state that it is in was entered by. */
  worker: Actor | undefined;
  /** Why the last try ended. */
  error: string | undefined;
  heardAt = 0;
  answers: Answer[] = [];
  #visit = 0;
  readonly #most: number;
  readonly #events: MachineEvents;
  readonly #now: () => number;

  constructor(
    of: {
      readonly runId: string;
      readonly tenantId: string;
      readonly arn: string;
      readonly state: StateName;
      readonly retries: number;
    },
    events: MachineEvents,
    now: () => number,
  ) {
    this.runId = of.runId;
    this.tenantId = of.tenantId;
    this.arn = of.arn;
    this.state = of.state;
    this.retries = of.retries;
    this.#most = of.retries;
    this.#events = events;
    this.#now = now;
  }

  get visit(): number {
    return this.#visit;
  }

  /** SHA-256 of the token that is waited for. */
  get waitsFor(): string | undefined {
    return this.token === undefined ? undefined : tokenDigestOf(this.token);
  }

  enter(): void {
    this.#visit += 1;
    this.heardAt = this.#now();
    this.token = waiting.has(this.state) ? `${this.runId}/token-${this.#visit}` : undefined;
    this.#events.entered(this, this.#visit, this.token);
  }

  /** The invocation of a visit is over; what comes from an earlier visit is not heard any more. */
  invoked(visit: number, ending: Ending): void {
    if (this.status !== 'RUNNING' || visit !== this.#visit) return;
    if (ending === 'died') this.fail('Lambda.Unknown');
    else if ('error' in ending) this.fail(ending.error.name);
    else if (this.token === undefined && !waiting.has(this.state)) this.#next();
  }

  #next(): void {
    this.token = undefined;
    const order: readonly StateName[] = ['begin', 'prepare', 'promote', 'finish'];
    const next = this.state === 'profile' ? undefined : order[order.indexOf(this.state) + 1];
    if (next) {
      this.state = next;
      this.retryCount = 0;
      this.enter();
    } else this.status = 'SUCCEEDED';
  }

  /** The state failed: it is entered again, or the execution ends. */
  fail(error: string): void {
    this.token = undefined;
    if (retried.has(error) && this.retries > 0) {
      this.retries -= 1;
      this.retryCount += 1;
      this.enter();
    } else this.#end('FAILED', error);
  }

  #end(status: 'FAILED' | 'ABORTED', error: string): void {
    this.status = status;
    this.error = error;
    this.token = undefined;
    this.#visit += 1;
    this.#events.ended(this, error);
  }

  #waits(token: string): boolean {
    return this.status === 'RUNNING' && this.token === token;
  }

  succeed(token: string): 'delivered' | 'gone' {
    if (!this.#waits(token)) return 'gone';
    this.answers.push({ tokenDigest: tokenDigestOf(token) });
    this.#next();
    return 'delivered';
  }

  answerFailure(token: string, error: string): 'delivered' | 'gone' {
    if (!this.#waits(token)) return 'gone';
    this.answers.push({ tokenDigest: tokenDigestOf(token), error });
    this.fail(error);
    return 'delivered';
  }

  heartbeat(token: string): 'delivered' | 'gone' {
    if (!this.#waits(token)) return 'gone';
    this.heardAt = this.#now();
    return 'delivered';
  }

  stop(): void {
    if (this.status === 'RUNNING') this.#end('ABORTED', 'OperatorStop');
  }

  redrive(): void {
    this.status = 'RUNNING';
    this.error = undefined;
    this.redriveCount += 1;
    this.retries = this.#most;
    this.retryCount = 0;
    this.enter();
  }
}
