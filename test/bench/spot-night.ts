import { Agenda } from '../../lib/capacity/agenda.ts';
import {
  type CapacityChoice,
  chooseCapacity,
  hurryOf,
  platformRetries,
} from '../../lib/training/attempts/capacity.ts';
import { mayGoBack, movable, placementOf, type QueueFacts } from '../../lib/training/attempts/placement.ts';
import type { Attempt, Capacity, CapacityBecause } from '../../lib/training/run.ts';
import { type StageName, stages } from '../../lib/training/stages.ts';
import { seededRandom } from '../../local/clock/seeded-random.ts';
import { FairQueue } from '../../local/jobs/fair-queue.ts';
import { anAttempt } from '../fixtures/records.ts';
import { cost, epochs, hour, minute, type RunWork, type SpotMarket, startup } from './spot-market.ts';
import { Nodes } from './spot-nodes.ts';

/** What a simulated night is made of. */
export interface NightSettings {
  readonly seed: number;
  readonly works: readonly RunWork[];
  readonly market: SpotMarket;
  readonly maxConcurrency: number;
  readonly vcpus: Readonly<Record<Capacity, number>>;
  readonly memoryPerVcpu: number;
  readonly deadline: number;
  readonly policy?: Partial<typeof usualPolicy>;
  /** Until when each tenant's jobs may wait for spot, milliseconds since the night began; nobody waits when absent. */
  readonly spotUntil?: ReadonlyMap<string, number>;
}

/** What came of it. */
export interface NightFigures {
  readonly cost: number;
  /** The same with whole nodes: what is left over on them and their idle ends are paid for too. */
  readonly nodeCost: number;
  readonly failed: number;
  readonly missed: number;
  readonly reclaims: number;
  readonly unplaceable: number;
  /** vCPU hours done twice, as a share of those that were needed. */
  readonly workLost: number;
  /** Share of vCPU hours on on-demand capacity. */
  readonly onDemandShare: number;
  readonly attempts: number;
  /** Largest number of platform retries that one stage spent, of `platformRetries`. */
  readonly mostRetries: number;
  readonly hours: number;
}

/** Until a loss without notice is known: a deleted node's job was over after 47 to 80 s on real servers (docs/evidence.md). */
const lossSeenAfter = 80_000;

/** The service's own settings, unless a night tries others. */
export const usualPolicy = { placementSeconds: 900, preemptionsBeforeOnDemand: 2 };

interface Job {
  readonly work: RunWork;
  readonly stage: StageName;
  readonly attempts: Attempt[];
  /** Milliseconds of the stage's work that are saved. */
  saved: number;
  capacity: Capacity;
  because: CapacityBecause;
  pendingSince: number;
  startedAt: number;
  name: string;
}

const after: Readonly<Partial<Record<StageName, readonly StageName[]>>> = {
  prepare: ['train'],
  train: ['index'],
  index: ['deploy', 'cache'],
};

const epochOf = (job: Job) => job.work.stages[job.stage] / epochs;

/** One night over the real policy: capacity, placement, fair queues; only machines and time are simulated. */
export class SimulatedNight {
  readonly #settings: NightSettings;
  readonly #policy: typeof usualPolicy;
  readonly #random: () => number;
  readonly #queues: Readonly<Record<Capacity, FairQueue>>;
  readonly #running: Readonly<Record<Capacity, Map<string, Job>>> = {
    spot: new Map(),
    'on-demand': new Map(),
  };
  readonly #pending = new Map<string, Job>();
  readonly #lastStart: Record<Capacity, number | undefined> = { spot: undefined, 'on-demand': undefined };
  readonly #nodes: Readonly<Record<Capacity, Nodes>>;
  readonly #agenda = new Agenda();
  readonly #open = new Map<number, number>();
  /** What was last chosen for each run. */
  readonly #newest = new Map<number, CapacityChoice>();
  #now = 0;
  #next = 0;
  #lastEnd = 0;
  #doneTwice = 0;
  readonly #figures = {
    cost: 0,
    failed: 0,
    missed: 0,
    reclaims: 0,
    unplaceable: 0,
    attempts: 0,
    mostRetries: 0,
  };
  readonly #vcpuHours: Record<Capacity, number> = { spot: 0, 'on-demand': 0 };

  constructor(settings: NightSettings) {
    this.#settings = settings;
    this.#policy = { ...usualPolicy, ...settings.policy };
    const { market } = settings;
    this.#nodes = {
      spot: new Nodes((at) => market.priceAt('spot', at)),
      'on-demand': new Nodes((at) => market.priceAt('on-demand', at)),
    };
    this.#random = seededRandom(settings.seed ^ 0x717e);
    const queue = (kind: Capacity) => {
      const cpu = settings.vcpus[kind];
      return new FairQueue({ cpu, memoryMiB: cpu * settings.memoryPerVcpu }, () => this.#now);
    };
    this.#queues = { spot: queue('spot'), 'on-demand': queue('on-demand') };
  }

  run(): NightFigures {
    for (let slot = 0; slot < this.#settings.maxConcurrency; slot += 1) this.#begin();
    this.#agenda.add(minute, () => this.#reconcile());
    for (let next = this.#agenda.take(); next; next = this.#agenda.take()) {
      this.#now = next.at;
      next.act();
    }
    const needed = this.#settings.works.reduce(
      (sum, { stages: parts }) =>
        sum + Object.entries(parts).reduce((all, [stage, ms]) => all + cpuOf(stage as StageName) * ms, 0),
      0,
    );
    const { spot, 'on-demand': dear } = this.#vcpuHours;
    return {
      ...this.#figures,
      nodeCost: this.#nodes.spot.cost() + this.#nodes['on-demand'].cost(),
      workLost: this.#doneTwice / needed,
      onDemandShare: dear / (spot + dear),
      hours: this.#lastEnd / hour,
    };
  }

  /** The next tenant of the night takes a free slot. */
  #begin(): void {
    const work = this.#settings.works[this.#next];
    this.#next += 1;
    if (!work) return;
    this.#open.set(work.run, 1);
    this.#enter(work, 'prepare');
  }

  #enter(work: RunWork, stage: StageName): void {
    const job: Job = {
      work,
      stage,
      attempts: [],
      saved: 0,
      capacity: 'spot',
      because: 'spot-first',
      pendingSince: 0,
      startedAt: 0,
      name: '',
    };
    this.#submit(job);
  }

  #spotUntil({ work }: Job): number {
    return this.#settings.spotUntil?.get(work.tenantId) ?? 0;
  }

  #submit(job: Job): void {
    const choice = chooseCapacity(job.attempts, {
      spotAllowed: true,
      ...this.#policy,
      ...hurryOf(this.#spotUntil(job), this.#newest.get(job.work.run), this.#now),
    });
    this.#newest.set(job.work.run, choice);
    Object.assign(job, {
      capacity: choice.capacity,
      because: choice.capacityBecause,
      pendingSince: this.#now,
      name: `${job.work.tenantId}-${job.stage}-${job.attempts.length + 1}`,
    });
    this.#figures.attempts += 1;
    this.#pending.set(job.name, job);
    const { name, work, stage } = job;
    this.#queues[job.capacity].add({
      name,
      tenantId: work.tenantId,
      wants: stages[stage].resources,
      priority: 50,
    });
    this.#dispatch(job.capacity);
  }

  /** Starts what fits, unless spot capacity is not given at the moment. */
  #dispatch(kind: Capacity): void {
    const { market } = this.#settings;
    const from = kind === 'spot' ? market.placeableFrom(this.#now) : market.onDemandFrom(this.#now);
    if (from > this.#now) {
      this.#agenda.add(from, () => this.#dispatch(kind));
      return;
    }
    for (const name of this.#queues[kind].take()) {
      const job = this.#pending.get(name);
      if (job) this.#start(job);
    }
  }

  #start(job: Job): void {
    this.#pending.delete(job.name);
    this.#running[job.capacity].set(job.name, job);
    this.#lastStart[job.capacity] = this.#now;
    this.#nodes[job.capacity].place(job.name, cpuOf(job.stage), this.#now);
    job.startedAt = this.#now;
    const done = this.#now + startup + job.work.stages[job.stage] - job.saved;
    const reclaim =
      job.capacity === 'spot' ? this.#settings.market.nextReclaim(job.work.run, this.#now) : undefined;
    if (reclaim && reclaim.at < done) this.#agenda.add(reclaim.at, () => this.#reclaim(job, reclaim.notice));
    else this.#agenda.add(done, () => this.#succeed(job));
  }

  #leave(job: Job): void {
    this.#running[job.capacity].delete(job.name);
    this.#queues[job.capacity].remove(job.name);
    const ms = this.#now - job.startedAt;
    const price = this.#settings.market.priceAt(job.capacity, job.startedAt);
    this.#figures.cost += cost(job.stage, job.capacity, ms, price);
    this.#nodes[job.capacity].leave(job.name, this.#now);
    this.#vcpuHours[job.capacity] += (cpuOf(job.stage) * ms) / hour;
    this.#dispatch(job.capacity);
  }

  /** With notice training saves where it stands; without, it goes on from its last epoch. Other stages begin anew. */
  #reclaim(job: Job, notice: boolean): void {
    this.#leave(job);
    this.#figures.reclaims += 1;
    const reached = job.saved + Math.max(0, this.#now - job.startedAt - startup);
    const kept = notice ? reached : Math.max(job.saved, Math.floor(reached / epochOf(job)) * epochOf(job));
    const saved = stages[job.stage].checkpoints ? kept : 0;
    this.#doneTwice += (reached - saved) * cpuOf(job.stage);
    job.saved = saved;
    this.#retry(job, notice ? 'preempted' : 'lost', notice ? 0 : lossSeenAfter);
  }

  #retry(job: Job, reason: 'preempted' | 'lost' | 'unplaceable', seenAfter: number): void {
    const status = reason === 'lost' ? 'lost' : 'preempted';
    const { stage, capacity } = job;
    job.attempts.push(anAttempt({ stage, capacity, status, reason, attempt: job.attempts.length + 1 }));
    const spent = job.attempts.length;
    this.#figures.mostRetries = Math.max(this.#figures.mostRetries, Math.min(spent, platformRetries));
    if (spent > platformRetries) {
      this.#figures.failed += 1;
      this.#finish(job.work, true);
      return;
    }
    // The machine's retrier: 5 s, rate 1.5, at most a minute, full jitter.
    const pause = this.#random() * Math.min(minute, 5_000 * 1.5 ** (spent - 1));
    this.#agenda.add(this.#now + seenAfter + pause, () => this.#submit(job));
  }

  #succeed(job: Job): void {
    this.#leave(job);
    const next = after[job.stage];
    if (!next) {
      this.#finish(job.work, false);
      return;
    }
    this.#open.set(job.work.run, next.length);
    for (const stage of next) this.#enter(job.work, stage);
  }

  #finish(work: RunWork, failed: boolean): void {
    this.#lastEnd = this.#now;
    const left = (this.#open.get(work.run) ?? 1) - 1;
    this.#open.set(work.run, left);
    if (failed || (left === 0 && this.#now > this.#settings.deadline)) this.#figures.missed += 1;
    if (left === 0 || failed) this.#begin();
  }

  #facts(kind: Capacity): QueueFacts {
    const lastStartAt = this.#lastStart[kind];
    const sum = (jobs: readonly Job[]) => jobs.reduce((total, { stage }) => total + cpuOf(stage), 0);
    return {
      vcpus: this.#settings.vcpus[kind],
      runningVcpus: sum([...this.#running[kind].values()]),
      pendingVcpus: sum([...this.#pending.values()].filter(({ capacity }) => capacity === kind)),
      ...(lastStartAt === undefined ? {} : { lastStartAt }),
    };
  }

  /** The reconciler's pass, by the rules of lib/operations/attempts/give-up-placement.ts. */
  #reconcile(): void {
    const limit = { now: this.#now, limitSeconds: this.#policy.placementSeconds };
    const facts = { spot: this.#facts('spot'), 'on-demand': this.#facts('on-demand') };
    const waiting = [...this.#pending.values()].map((job) => ({
      job,
      since: job.pendingSince,
      vcpus: cpuOf(job.stage),
      ...(job.capacity === 'spot' ? { spotUntil: this.#spotUntil(job) } : {}),
    }));
    const found = waiting.filter(
      (one) =>
        placementOf(one, facts[one.job.capacity], limit) === 'unplaceable' ||
        (one.job.because === 'spot-unplaceable' && mayGoBack(one, facts.spot, limit)),
    );
    const isSpot = ({ job }: (typeof found)[number]) => job.capacity === 'spot';
    const moved = [
      ...movable(found.filter(isSpot), facts['on-demand']),
      ...found.filter((one) => !isSpot(one)),
    ];
    for (const { job } of moved) {
      this.#pending.delete(job.name);
      this.#queues[job.capacity].remove(job.name);
      this.#figures.unplaceable += 1;
      this.#retry(job, 'unplaceable', 0);
    }
    if (this.#agenda.size > 0) this.#agenda.add(this.#now + minute, () => this.#reconcile());
  }
}

function cpuOf(stage: StageName): number {
  return stages[stage].resources.cpu;
}
