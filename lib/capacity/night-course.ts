import type { ServiceConfig } from '../config/service-config.ts';
import type { Resources, StageName } from '../training/stages.ts';
import type { Durations } from './durations.ts';
import { compare, longestWait, missesOf, play, type Rooms } from './judging.ts';
import type { DueForPlan } from './night-plan.ts';
import { type QueueName, roomOf, vcpusOf } from './queues.ts';
import { mostChildExecutions } from './quotas.ts';
import { phaseStages, planOf, type RunPlan } from './run-plan.ts';

/** A run that has begun, as far as it has come. */
export interface BegunRun {
  readonly tenant: DueForPlan;
  readonly done: ReadonlySet<StageName>;
  /** Seconds since the jobs of its open stages began to run; 0 while they wait. */
  readonly spent: number;
}

/** What jobs do in one queue at the moment. */
export interface QueueUse {
  /** What running jobs ask for together. */
  readonly running: Resources;
  /** Whether a job has waited longer than placement may take. */
  readonly waitsLong: boolean;
}

/** What is known of a night that runs. */
export interface CourseFacts {
  readonly begun: readonly BegunRun[];
  /** Tenants that have not begun, in the order of the night. */
  readonly waiting: readonly DueForPlan[];
  readonly durations: Durations;
  /** Tenant to its deadline, milliseconds. */
  readonly deadlines: ReadonlyMap<string, number>;
  readonly uses: ReadonlyMap<QueueName, QueueUse>;
  readonly config: Pick<ServiceConfig, 'queueSize' | 'training'>;
  /** Milliseconds. */
  readonly now: number;
  /** Tenants at a time that the night lets run. */
  readonly width: number;
}

/** Where a night is heading. */
export interface Course {
  /** Tenants that are expected to be late at the width that it has. */
  readonly late: readonly string[];
  /** Tenants at a time with which fewer are late; the width that it has where none does better. */
  readonly width: number;
  /** Tenants that are expected to be late at that width. */
  readonly lateThen: readonly string[];
}

/** Parts of a stage's usual length that one which takes longer than usual is assumed to go on for. */
const overrun = 0.1;

/** Times the width that are tried; more than twice is left to the next look, which sees what became of the first. */
const factors = [1.1, 1.25, 1.5, 2];

/** What is left of a run; undefined when its jobs are over. */
function restOf(plan: RunPlan, { done, spent }: BegunRun): RunPlan | undefined {
  const at = phaseStages.findIndex((stages) => stages.some((stage) => !done.has(stage)));
  const [first, ...others] = at < 0 ? [] : plan.phases.slice(at);
  if (!first) return undefined;
  const seconds = Math.max(first.seconds - spent, first.seconds * overrun);
  const phases = [{ ...first, seconds }, ...others];
  return { ...plan, phases, seconds: phases.reduce((sum, phase) => sum + phase.seconds, 0) };
}

const onDemandBeside = (queue: QueueName): QueueName => `${queue.split('/')[0] as 'eks'}/on-demand`;

/** Whether a queue gives nothing more although Epsilon's own jobs do not fill it: a job has waited too long beside free room. */
function isDry(config: CourseFacts['config'], queue: QueueName, use: QueueUse | undefined): boolean {
  return use?.waitsLong === true && use.running.cpu < vcpusOf(config, queue) * fullFrom;
}

/** Share of a queue's vCPU from which it counts as filled by Epsilon's own jobs: what is left may be too small for the next one. */
const fullFrom = 0.9;

/** What a queue gives at the moment: its size; or, where it gives nothing more, what runs there, and on-demand beside it. */
function givesOf({ config, uses }: CourseFacts, queue: QueueName, room: Resources): Resources {
  const use = uses.get(queue);
  if (use === undefined || !isDry(config, queue, use)) return room;
  const beside = onDemandBeside(queue);
  const spare = beside === queue ? undefined : roomOf(config, beside);
  const other = uses.get(beside);
  const fallback = isDry(config, beside, other) ? other?.running : spare;
  return {
    cpu: use.running.cpu + (fallback?.cpu ?? 0),
    memoryMiB: use.running.memoryMiB + (fallback?.memoryMiB ?? 0),
  };
}

/** Rooms as they are at the moment; undefined when the size of one that is used is not known. A room holds at least one job of each. */
function roomsNow(facts: CourseFacts, plans: readonly RunPlan[]): Rooms | undefined {
  const found = new Map<QueueName, Resources>();
  for (const [queue, runs] of Map.groupBy(plans, (plan) => plan.queue)) {
    const room = roomOf(facts.config, queue);
    if (!room) return undefined;
    const gives = givesOf(facts, queue, room);
    const phases = runs.flatMap((run) => run.phases).filter(({ cpu }) => cpu <= room.cpu);
    found.set(queue, {
      cpu: Math.max(gives.cpu, ...phases.map(({ cpu }) => cpu)),
      memoryMiB: Math.max(gives.memoryMiB, ...phases.map(({ memoryMiB }) => memoryMiB)),
    });
  }
  return found;
}

/**
 * Plays out what is left of a night, as it is and wider. A night that nobody is late in keeps its width; so does one that is late
 * because its queues are full, which no width helps. One whose places are taken by tenants of a queue that gives nothing, while another
 * queue has room, or whose queues have grown since, is widened: by at most twice, never beyond `training.maxConcurrency`, never so far
 * that jobs wait longer for their turn than a plan lets them. Undefined where a queue's size is not known.
 */
export function courseOf(facts: CourseFacts): Course | undefined {
  const { begun, waiting, durations, deadlines, config, now, width } = facts;
  const plan = (tenant: DueForPlan) =>
    planOf(
      tenant,
      durations.of(tenant.tenantId),
      ((deadlines.get(tenant.tenantId) ?? Number.POSITIVE_INFINITY) - now) / 1000,
    );
  const plans = [...begun.flatMap((run) => restOf(plan(run.tenant), run) ?? []), ...waiting.map(plan)];
  const rooms = roomsNow(facts, plans);
  if (!rooms) return undefined;
  const unwatched = new Set([...rooms.keys()].filter((queue) => isDry(config, queue, facts.uses.get(queue))));
  const way = (wide: number) => {
    const played = play(plans, rooms, wide, { unwatched });
    const late = plans.filter(({ deadline }, at) => (played.ends[at] ?? 0) > deadline);
    return {
      width: wide,
      late: late.map(({ tenantId }) => tenantId),
      misses: missesOf(plans, played),
      endsAt: played.endsAt,
      waits: played.longestWait,
    };
  };
  const asItIs = way(width);
  const most = Math.min(config.training.maxConcurrency, mostChildExecutions, plans.length);
  const wider = asItIs.late.length === 0 || waiting.length === 0 ? [] : factors;
  const bearable = Math.max(longestWait, asItIs.waits);
  const ways = [...new Set(wider.map((factor) => Math.min(most, Math.ceil(width * factor))))]
    .filter((wide) => wide > width)
    .map(way)
    .filter(({ waits, late }) => waits <= bearable && late.length < asItIs.late.length);
  const best = ways.reduce((found, one) => (compare(one, found, 0.01) < 0 ? one : found), asItIs);
  return { late: asItIs.late, width: best.width, lateThen: best.late };
}
