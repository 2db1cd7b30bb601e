import type { Context } from 'aws-lambda';
import { Actor, type Ending, type Outcome } from './actors.ts';
import { Backend, isLive, type WorldJob } from './backend.ts';
import { digest } from './digest.ts';
import { everything, type Footprint } from './footprint.ts';
import { brokenAtEnd, brokenByStep, doomedJobs, isQuiet, promises } from './invariants.ts';
import { heartbeatMs, Machine } from './machine.ts';
import type { Objects } from './memory-objects.ts';
import type { MoveKind, Scenario } from './scenario.ts';
import { config, graceMs } from './settings.ts';
import type { ExploredStores, Gate, StoreKind } from './store-kinds.ts';
import { type Delivery, invokeFor, machineEvents, movesOf } from './surroundings.ts';

/** When every trial begins. */
export const start = Date.parse('2026-11-24T03:00:00Z');

/** One thing that can happen next. */
export interface Option {
  readonly key: string;
  readonly actor?: Actor;
  /** Which call of the actor; absent for its beginning. */
  readonly nth?: number;
  readonly outcome: Outcome;
  readonly footprint: Footprint;
  take(): void | Promise<void>;
}

/** A broken promise. */
export interface Broken {
  readonly promise: string;
  readonly detail: string;
}

/** One world in which a scenario is played once, by one order of everything that can happen. */
export class Trial {
  readonly scenario: Scenario;
  readonly backend: Backend;
  readonly stores: ExploredStores;
  readonly objects: Objects = new Map();
  readonly machines: Machine[] = [];
  readonly actors: Actor[] = [];
  readonly deliveries: Delivery[] = [];
  /** How often each kind of move was made. */
  readonly spent = new Map<MoveKind, number>();
  /** Which jobs were to be stopped when a pass began, by the pass. */
  readonly #doomedBefore = new Map<Actor, (job: WorldJob) => boolean>();
  broken: Broken | undefined;
  last: Actor | undefined;
  #now = start;
  #free = false;
  #over = false;
  #closing = false;
  readonly #turns: number;
  readonly #counts = new Map<string, number>();
  readonly #reporting = new Set<Actor>();
  #before: ReadonlyMap<string, object> = new Map();

  constructor(scenario: Scenario, kind: StoreKind) {
    this.scenario = scenario;
    this.backend = new Backend(scenario.backend);
    this.#turns = kind.turns;
    this.stores = kind.open(this.gate, this.now);
    this.backend.onChange = (job) => {
      if (job.state !== 'pending') this.deliver({ kind: 'job', job: { ...job } });
    };
  }

  readonly now = (): number => this.#now;

  /** Every call that others can see of waits here. */
  readonly gate: Gate = async (actor, asked) => {
    if (this.#over) throw new Error('The trial is over.');
    if (this.#free) return asked.perform();
    const { footprint } = asked;
    // What an invocation ends with is told to its machine, by whichever of its calls is the last.
    const told = this.#reporting.has(actor)
      ? { reads: footprint.reads, writes: [...footprint.writes, 'machine'] }
      : footprint;
    return actor.ask({ ...asked, footprint: told }) as Promise<never>;
  };

  /** An actor that begins when it is picked. `reports`: its end is told to a machine. */
  spawn(
    kind: string,
    begin: (actor: Actor, context: Context) => Promise<unknown>,
    { ended = () => {}, reports = false }: { ended?: (ending: Ending) => void; reports?: boolean } = {},
  ): Actor {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const name = `${kind}${count}`;
    const context = () =>
      ({ awsRequestId: `request-${name}`, getRemainingTimeInMillis: () => 55_000 }) as unknown as Context;
    const actor: Actor = new Actor(name, () => begin(actor, context()), ended);
    this.actors.push(actor);
    if (reports) this.#reporting.add(actor);
    return actor;
  }

  machine(of: Pick<Machine, 'runId' | 'tenantId' | 'arn' | 'state'>): Machine {
    const machine = new Machine({ ...of, retries: this.scenario.retries }, machineEvents(this), this.now);
    this.machines.push(machine);
    return machine;
  }

  deliver(what: Delivery['what']): void {
    // Once everything becomes quiet, promotions are heard at once: a pass announces them until they are.
    if (this.#closing && what.kind === 'promoted') invokeFor(this, { what });
    else this.deliveries.push({ what, times: 0 });
  }

  /** Time passes; lists show by then what is older than the grace. */
  pass(ms: number): void {
    this.#now += ms;
    for (const job of this.backend.jobs) if (this.#now - job.submittedAt >= graceMs) job.listed = true;
  }

  /** A pass is judged by what it could know: what the index does not show yet is left to the next one. */
  passBegins(pass: Actor): void {
    if (this.stores.index?.lags()) return;
    this.#doomedBefore.set(pass, doomedJobs(this));
  }

  /** A pass that met no fault leaves no job alive that was to be stopped before it began. */
  passEnded(pass: Actor, ending: Ending): void {
    const isDoomed = this.#doomedBefore.get(pass);
    if (pass.faulted || ending === 'died' || 'error' in ending || !isDoomed) return;
    const left = this.backend.jobs.find((job) => isLive(job) && isDoomed(job));
    if (left) this.broken ??= { promise: promises.outlives, detail: `${left.id} (${left.name})` };
  }

  get running(): Actor[] {
    return this.actors.filter(({ state }) => state === 'running');
  }

  /** What can happen next, what goes on by itself first. */
  options(): Option[] {
    const current = this.last?.state === 'running' ? this.last : undefined;
    const others = this.running.filter((actor) => actor !== current);
    const calls = [...(current ? [current] : []), ...others].flatMap((actor) => this.#calls(actor));
    const begins = this.actors
      .filter(({ state }) => state === 'waiting')
      .map((actor) => this.#beginning(actor));
    const free = { outcome: 'done', footprint: everything } as const;
    const moves = movesOf(this).map(({ key, make }): Option => ({ ...free, key, take: make }));
    const rest = calls.length + begins.length === 0 ? [{ ...free, key: 'rest', take: () => {} }] : [];
    return [...calls, ...begins, ...rest, ...moves];
  }

  #calls(actor: Actor): Option[] {
    return actor.points.flatMap((point) =>
      point.outcomes.map((outcome): Option => {
        const { nth, label, footprint } = point;
        const key = `${actor.name} ${label}${outcome === 'done' ? '' : ` [${outcome}]`}`;
        return { key, actor, nth, outcome, footprint, take: () => actor.settle(point, outcome, this.now) };
      }),
    );
  }

  #beginning(actor: Actor): Option {
    return {
      key: `${actor.name} begins`,
      actor,
      outcome: 'done',
      // It reads the clock, which only a move changes.
      footprint: { reads: ['clock'], writes: [] },
      take: () => actor.start(this.#now),
    };
  }

  /** Lets everything run until every actor waits again. */
  async settle(): Promise<void> {
    await this.#turn();
    for (let turn = 0; this.#atWork(); turn += 1) {
      if (turn > 100)
        throw new Error(
          `${this.#atWork()?.name} waits for something that is no port: a timer, or a promise nobody keeps`,
        );
      await this.#turn();
    }
  }

  /**
   * A tick comes when no promise is left that could go on, at a small part of the cost of the event loop's turns, which are
   * needed only where a client takes them.
   */
  async #turn(): Promise<void> {
    if (this.#turns === 0) await new Promise<void>((next) => process.nextTick(next));
    for (let turn = 0; turn < this.#turns; turn += 1) await new Promise<void>((next) => setImmediate(next));
  }

  #atWork(): Actor | undefined {
    return this.running.find(({ points }) => points.length === 0);
  }

  /** Makes one thing happen and checks what must hold at every step. */
  async take(option: Option): Promise<void> {
    this.last = option.actor;
    await option.take();
    await this.settle();
    this.check(option.actor);
  }

  /** Nothing that stands here by now is judged. */
  begin(): void {
    this.#before = new Map(this.stores.records());
  }

  check(actor?: Actor): void {
    const after = this.stores.records();
    this.broken ??= brokenByStep({ before: this.#before, after, trial: this, ...(actor ? { actor } : {}) });
    this.#before = new Map(after);
  }

  /** A short name of everything that what comes next depends on. */
  state(): string {
    const actors = this.actors.map(({ name, state, chain, points }) =>
      state === 'over' ? name : `${name} ${state} ${chain} ${points.map(({ nth }) => nth)}`,
    );
    const machines = this.machines.map(({ status, redriveCount, state, retries, token, heardAt, visit }) =>
      [status, redriveCount, state, retries, token, heardAt, visit].join(),
    );
    return digest(
      [
        this.stores.state(),
        this.#now,
        actors.join('\n'),
        machines.join('\n'),
        JSON.stringify([this.backend.jobs, this.deliveries, [...this.spent].sort()]),
        this.objects.size === 0 ? '' : JSON.stringify([...this.objects].sort()),
        this.last?.state === 'running' ? this.last.name : '',
      ].join('\n'),
    );
  }

  /** Plays one actor to its end with nobody beside it: for setting up. */
  async playAlone(actor: Actor): Promise<void> {
    this.begin();
    this.#free = true;
    await this.#alone(actor);
    this.#free = false;
  }

  async #alone(actor: Actor): Promise<void> {
    if (actor.state === 'waiting') actor.start(this.#now);
    for (let turn = 0; actor.state === 'running'; turn += 1) {
      if (turn > 1_000) throw new Error(`${actor.name} does not end`);
      await this.#turn();
    }
    this.check(actor);
  }

  /**
   * Everything becomes quiet: what was begun ends, the surroundings go on without any further fault, passes come, and what
   * must hold at the end is checked. Undelivered events never come.
   */
  async close(): Promise<void> {
    this.#free = true;
    this.#closing = true;
    this.last = undefined;
    for (let round = 0; round < 30 && !this.broken; round += 1) {
      for (let next = this.#waiting(); next && !this.broken; next = this.#waiting()) await this.#alone(next);
      if (this.broken || isQuiet(this)) break;
      this.backend.catchUp();
      this.stores.index?.catchUp();
      if (round > 1) for (const job of this.backend.jobs.filter(isLive)) this.#advance(job);
      this.pass(graceMs + 1_000);
      for (const machine of this.machines)
        if (
          machine.status === 'RUNNING' &&
          machine.token !== undefined &&
          this.#now - machine.heardAt >= heartbeatMs
        )
          machine.fail('States.HeartbeatTimeout');
      this.scenario.pass?.(this);
    }
    for (let pass = 0; pass < 2 && !this.broken && this.scenario.pass; pass += 1) {
      // The last pass comes when whatever nobody keeps alive has run out.
      this.pass(pass === 0 ? graceMs + 1_000 : config.training.leaseSeconds * 1_000);
      this.scenario.pass(this);
      for (let next = this.#waiting(); next && !this.broken; next = this.#waiting()) await this.#alone(next);
    }
    this.broken ??= await brokenAtEnd(this);
  }

  /** Leaves nothing behind; whoever is still at work fails. */
  async end(): Promise<void> {
    this.#over = true;
    for (const actor of this.actors) actor.unwind();
    await this.#turn();
  }

  #waiting(): Actor | undefined {
    return this.actors.find(({ state }) => state === 'waiting');
  }

  #advance(job: WorldJob): void {
    if (job.state === 'pending') this.backend.to(job, 'running');
    else this.backend.to(job, 'succeeded', 'completed');
  }
}
