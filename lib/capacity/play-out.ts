import type { Resources } from '../training/stages.ts';
import { Agenda } from './agenda.ts';
import type { QueueName } from './queues.ts';
import type { Phase, RunPlan } from './run-plan.ts';

/** Under which bounds a list of runs is played out. */
export interface Bounds {
  /** What each queue holds; a queue that is absent holds everything. */
  readonly rooms: ReadonlyMap<QueueName, Resources>;
  /** Runs at a time. */
  readonly fanOut: number;
  /** Seconds between the beginnings of two runs of a backend, by what the quotas let begin. */
  readonly secondsPerStart: (queue: QueueName) => number;
  /** Objects that a queue's backend keeps of each run until a while after its end; none when absent. */
  readonly kept?: (queue: QueueName) => Kept | undefined;
  /** Queues whose waits do not count for `longestWait`. */
  readonly unwatched?: ReadonlySet<QueueName>;
}

/** How many objects there may be, how many a run makes, how many seconds they stay after its end. */
export interface Kept {
  readonly limit: number;
  readonly perRun: number;
  readonly seconds: number;
}

/** What came of it. */
export interface PlayedOut {
  /** When each run ended, in the order of the list, in seconds; infinite for one that no queue can place. */
  readonly ends: readonly number[];
  /** When the last one ended that ends at all. */
  readonly endsAt: number;
  /** Longest that a phase waited for room, in seconds. */
  readonly longestWait: number;
}

interface Waiting {
  readonly run: number;
  readonly plan: RunPlan;
  readonly phase: number;
  readonly since: number;
}

/** One queue while time goes on: first come, first served. */
class Queue {
  readonly waiting: Waiting[] = [];
  #head = 0;
  #cpu: number;
  #memoryMiB: number;
  readonly #room: Resources;

  constructor(room: Resources | undefined) {
    this.#room = room ?? { cpu: Number.POSITIVE_INFINITY, memoryMiB: Number.POSITIVE_INFINITY };
    ({ cpu: this.#cpu, memoryMiB: this.#memoryMiB } = this.#room);
  }

  holds({ cpu, memoryMiB }: Resources): boolean {
    return cpu <= this.#room.cpu && memoryMiB <= this.#room.memoryMiB;
  }

  free({ cpu, memoryMiB }: Resources): void {
    this.#cpu += cpu;
    this.#memoryMiB += memoryMiB;
  }

  /** The next that fits, taken out; undefined when its turn has not come. */
  take(): Waiting | undefined {
    const next = this.waiting[this.#head];
    const phase = next?.plan.phases[next.phase];
    // Sums of halves of a vCPU stay exact; the tolerance is for tenants' own thirds.
    if (!next || !phase || phase.cpu > this.#cpu + 1e-9 || phase.memoryMiB > this.#memoryMiB)
      return undefined;
    this.#head += 1;
    this.#cpu -= phase.cpu;
    this.#memoryMiB -= phase.memoryMiB;
    return next;
  }
}

/** The runs of a list, begun in its order, as bounds let them. */
class Play {
  readonly #plans: readonly RunPlan[];
  readonly #bounds: Bounds;
  readonly #agenda = new Agenda();
  readonly #queues: ReadonlyMap<QueueName, Queue>;
  readonly #mayStart = new Map<QueueName, number>();
  readonly #kept = new Map<QueueName, { used: number; blocked: number[] }>();
  readonly #ends: number[];
  #now = 0;
  #next = 0;
  #longestWait = 0;

  constructor(plans: readonly RunPlan[], bounds: Bounds) {
    this.#plans = plans;
    this.#bounds = bounds;
    this.#ends = plans.map(() => Number.POSITIVE_INFINITY);
    const names = new Set(plans.map(({ queue }) => queue));
    this.#queues = new Map([...names].map((name) => [name, new Queue(bounds.rooms.get(name))]));
  }

  run(): PlayedOut {
    for (let slot = 0; slot < Math.min(this.#bounds.fanOut, this.#plans.length); slot += 1) this.#begin();
    for (let event = this.#agenda.take(); event; event = this.#agenda.take()) {
      this.#now = event.at;
      event.act();
    }
    const finite = this.#ends.filter(Number.isFinite);
    return {
      ends: this.#ends,
      endsAt: finite.reduce((latest, end) => Math.max(latest, end), 0),
      longestWait: this.#longestWait,
    };
  }

  /** The next run of the list takes a free slot, no sooner than the quotas by the second allow. */
  #begin(): void {
    const run = this.#next;
    const plan = this.#plans[run];
    this.#next += 1;
    if (!plan) return;
    const at = Math.max(this.#now, this.#mayStart.get(plan.queue) ?? 0);
    this.#mayStart.set(plan.queue, at + this.#bounds.secondsPerStart(plan.queue));
    this.#agenda.add(at, () => this.#admit(run, plan));
  }

  #admit(run: number, plan: RunPlan): void {
    const queue = this.#queues.get(plan.queue);
    if (!queue || plan.phases.some((phase) => !queue.holds(phase))) {
      this.#begin();
      return;
    }
    const kept = this.#bounds.kept?.(plan.queue);
    if (kept) {
      const state = this.#kept.get(plan.queue) ?? { used: 0, blocked: [] };
      this.#kept.set(plan.queue, state);
      if (state.used + kept.perRun > kept.limit) {
        state.blocked.push(run);
        return;
      }
      state.used += kept.perRun;
    }
    this.#enter(run, plan, 0);
  }

  #enter(run: number, plan: RunPlan, phase: number): void {
    this.#queues.get(plan.queue)?.waiting.push({ run, plan, phase, since: this.#now });
    this.#dispatch(plan.queue);
  }

  #dispatch(name: QueueName): void {
    const queue = this.#queues.get(name);
    for (let next = queue?.take(); next; next = queue?.take()) {
      const { run, plan, phase, since } = next;
      const played = plan.phases[phase];
      if (!played) continue;
      if (!this.#bounds.unwatched?.has(name))
        this.#longestWait = Math.max(this.#longestWait, this.#now - since);
      this.#agenda.add(this.#now + played.seconds, () => this.#leave(run, plan, phase, played));
    }
  }

  #leave(run: number, plan: RunPlan, phase: number, played: Phase): void {
    this.#queues.get(plan.queue)?.free(played);
    if (phase + 1 < plan.phases.length) this.#enter(run, plan, phase + 1);
    else this.#end(run, plan);
    this.#dispatch(plan.queue);
  }

  #end(run: number, plan: RunPlan): void {
    this.#ends[run] = this.#now;
    const kept = this.#bounds.kept?.(plan.queue);
    if (kept) this.#agenda.add(this.#now + kept.seconds, () => this.#forget(plan.queue, kept));
    this.#begin();
  }

  #forget(queue: QueueName, kept: Kept): void {
    const state = this.#kept.get(queue);
    if (!state) return;
    state.used -= kept.perRun;
    const run = state.blocked.shift();
    const plan = run === undefined ? undefined : this.#plans[run];
    if (run !== undefined && plan) this.#admit(run, plan);
  }
}

/**
 * Plays a list of runs out under bounds: begun in the list's order, `fanOut` at a time, each phase when its queue has room for
 * it. Deterministic; ten thousand runs take a few hundred milliseconds.
 */
export function playOut(plans: readonly RunPlan[], bounds: Bounds): PlayedOut {
  return new Play(plans, bounds).run();
}
