import type { ServiceConfig } from '../config/service-config.ts';
import { nextTimeOfDay } from './deadline.ts';
import type { Durations } from './durations.ts';
import { type FanOut, fanOutsOf, loadsOf } from './fan-out.ts';
import { compare, longestWait, missesOf, play, type Rooms } from './judging.ts';
import { ordersOf } from './night-order.ts';
import type { PlayedOut } from './play-out.ts';
import { type Asking, type QueueName, roomOf } from './queues.ts';
import { isTooLarge, planOf, type RunPlan } from './run-plan.ts';
import { latestStarts } from './spot-until.ts';

/** A tenant that is due, as far as a night's plan is concerned. */
export type DueForPlan = Asking & { readonly priority: number; readonly deadline?: string | undefined };

/** What a night's plan follows from. */
export interface NightFacts {
  readonly due: readonly DueForPlan[];
  /** Tenants that go last, whatever their deadline. */
  readonly last: ReadonlySet<string>;
  readonly durations: Durations;
  readonly config: Pick<ServiceConfig, 'queueSize' | 'training'>;
  /** Milliseconds. */
  readonly now: number;
}

/** What a night is expected to do. */
export interface Forecast {
  readonly tenants: number;
  /** Tenants whose runs are expected to end by their deadline. */
  readonly onTime: number;
  /** The others, in the order of the night. */
  readonly late: readonly string[];
  /** Of those, tenants whose run is longer than the time to their deadline: no capacity helps. */
  readonly tooLong: readonly string[];
  /** Of those, tenants with a stage larger than their whole queue: it can never be placed. */
  readonly tooLarge: readonly string[];
  /** The night's deadline, ISO 8601. A tenant's own may be another. */
  readonly deadline: string;
  /** When the last run that can be placed is expected to end, ISO 8601. */
  readonly endsAt: string;
  /** vCPU that each queue would need more, for every tenant to be on time whose run is not too long or too large. */
  readonly missingVcpus: Readonly<Record<string, number>>;
  /** Runs at a time that this would take, where `training.maxConcurrency` allows fewer. */
  readonly neededConcurrency?: number;
  /** Tenants whose durations were measured; those of the others are the median, or assumed. */
  readonly measured: number;
}

/** How a night goes about its tenants. */
export interface NightPlan extends FanOut {
  /** Whom the night begins with, and so on. */
  readonly order: readonly string[];
  readonly forecast: Forecast;
  /** Tenant to the moment (milliseconds) until which its jobs may wait for spot capacity; absent where it has no choice. */
  readonly spotUntil: ReadonlyMap<string, number>;
  /** Tenant to its deadline, milliseconds. */
  readonly deadlines: ReadonlyMap<string, number>;
}

interface Choice {
  readonly plans: readonly RunPlan[];
  readonly fanOut: FanOut;
  readonly played: PlayedOut;
}

/** The best of several ways; of equal ones the first. */
function best(ways: readonly Choice[], clearly: number): Choice | undefined {
  const judged = ways.map((way) => ({
    way,
    misses: missesOf(way.plans, way.played),
    endsAt: way.played.endsAt,
  }));
  return judged.reduce<(typeof judged)[number] | undefined>(
    (found, one) => (found && compare(one, found, clearly) >= 0 ? found : one),
    undefined,
  )?.way;
}

/** The order first, then how many at a time; a number with which jobs wait too long for their turn is no choice. */
function choose(orders: readonly (readonly RunPlan[])[], rooms: Rooms, setting: number): Choice | undefined {
  const fanOuts = fanOutsOf(orders[0] ?? [], rooms, setting);
  const usual = fanOuts[Math.floor(fanOuts.length / 2)];
  if (!usual) return undefined;
  const way = (plans: readonly RunPlan[], fanOut: FanOut): Choice => ({
    plans,
    fanOut,
    played: play(plans, rooms, fanOut.maxConcurrency),
  });
  // The longest first bears a drought best: another order has to be worth it.
  const ordered = best(
    orders.map((plans) => way(plans, usual)),
    0.15,
  );
  if (!ordered) return undefined;
  const widths = fanOuts.map((fanOut) => (fanOut === usual ? ordered : way(ordered.plans, fanOut)));
  const bearable = widths.filter(({ played }) => played.longestWait <= longestWait);
  return best(bearable.length > 0 ? bearable : widths.slice(0, 1), 0.01);
}

/** Rooms grown by a factor, those of the named queues only. */
function grown(rooms: Rooms, queues: ReadonlySet<QueueName>, factor: number): Rooms {
  return new Map(
    [...rooms].map(([queue, { cpu, memoryMiB }]) => [
      queue,
      queues.has(queue) ? { cpu: cpu * factor, memoryMiB: memoryMiB * factor } : { cpu, memoryMiB },
    ]),
  );
}

/** What would have to be larger for nobody to be late who can be on time at all. */
function missing(
  { plans, played, fanOut }: Choice,
  rooms: Rooms,
): Pick<Forecast, 'missingVcpus' | 'neededConcurrency'> {
  const isLate = (run: RunPlan, at: number) =>
    run.seconds <= run.deadline && (played.ends[at] ?? 0) > run.deadline;
  const queues = new Set(plans.filter(isLate).map(({ queue }) => queue));
  if (queues.size === 0) return { missingVcpus: {} };
  const impossible = plans.filter(({ seconds, deadline }) => seconds > deadline).length;
  /** Runs at a time with which nobody is late any more, were the queues larger by a factor. */
  const widthAt = (factor: number): number | undefined => {
    const larger = grown(rooms, queues, factor);
    return fanOutsOf(plans, larger, Number.MAX_SAFE_INTEGER).find(({ maxConcurrency }) => {
      const { ends, longestWait: waits } = play(plans, larger, maxConcurrency);
      const late = plans.filter((run, at) => (ends[at] ?? 0) > run.deadline);
      return late.length <= impossible && waits <= longestWait;
    })?.maxConcurrency;
  };
  const fits = (factor: number) => widthAt(factor) !== undefined;
  // What the work alone needs, then in steps: a forecast is no more exact than a twentieth.
  const latest = Math.max(...plans.map(({ deadline }) => deadline));
  const needed = Math.max(1, ...loadsOf(plans, rooms).map(({ seconds }) => seconds / latest));
  const steps = [1, 1.05, 1.1, 1.15, 1.2, 1.3, 1.4, 1.6, 2, 3, 5, 10, 100].map((step) => step * needed);
  const most = steps.find(fits) ?? needed;
  const width = widthAt(most) ?? 0;
  return {
    missingVcpus: Object.fromEntries(
      [...queues].flatMap((queue) => {
        const more = Math.ceil((rooms.get(queue)?.cpu ?? 0) * (most - 1));
        return more === 0 ? [] : [[queue, more]];
      }),
    ),
    ...(fanOut.limitedBy === 'setting' && width > fanOut.maxConcurrency ? { neededConcurrency: width } : {}),
  };
}

function roomsOf(config: NightFacts['config'], plans: readonly RunPlan[]): Rooms {
  const queues = new Set(plans.map(({ queue }) => queue));
  return new Map(
    [...queues].flatMap((queue) => {
      const room = roomOf(config, queue);
      return room ? [[queue, room] as const] : [];
    }),
  );
}

/**
 * Plans a night: in which order its tenants begin, how many at a time, what will be ready by the deadline, and until when each
 * tenant's jobs may wait for spot capacity. Everything follows from the tenants, what their stages took, the queues' sizes, the
 * platform's quotas and `training.deadline`; `training.maxConcurrency` is the upper bound.
 */
export function planNight({ due, last, durations, config, now }: NightFacts): NightPlan {
  const night = nextTimeOfDay(config.training.deadline, now);
  const deadlines = new Map(
    due.map(({ tenantId, deadline }) => [
      tenantId,
      deadline === undefined ? night : nextTimeOfDay(deadline, now),
    ]),
  );
  const relative = (tenantId: string) => ((deadlines.get(tenantId) ?? night) - now) / 1000;
  const all = due.map((tenant) => planOf(tenant, durations.of(tenant.tenantId), relative(tenant.tenantId)));
  const rooms = roomsOf(config, all);
  const large = new Set(
    due.flatMap((tenant, at) => {
      const room = all[at] && rooms.get(all[at].queue);
      return room && isTooLarge(tenant, room) ? [tenant.tenantId] : [];
    }),
  );
  const placeable = all.filter(({ tenantId }) => !large.has(tenantId));
  // No night is shorter than its work in its largest queue's room, or than its longest run.
  const horizon = Math.max(
    ...loadsOf(placeable, rooms).map((load) => load.seconds),
    ...placeable.map((run) => run.seconds),
    0,
  );
  const chosen = choose(ordersOf(placeable, last, horizon), rooms, config.training.maxConcurrency);
  const played = chosen?.played ?? { ends: [], endsAt: 0, longestWait: 0 };
  const plans = chosen?.plans ?? [];
  const late = plans.filter(({ deadline }, at) => (played.ends[at] ?? 0) > deadline);
  const names = (runs: readonly RunPlan[]) => runs.map(({ tenantId }) => tenantId);
  const fanOut = chosen?.fanOut ?? { maxConcurrency: config.training.maxConcurrency, limitedBy: 'setting' };
  return {
    ...fanOut,
    order: [...names(plans), ...large],
    deadlines,
    spotUntil: latestStarts(plans, { config, now, fanOut: fanOut.maxConcurrency }),
    forecast: {
      tenants: due.length,
      onTime: due.length - late.length - large.size,
      late: [...names(late), ...large],
      tooLong: names(late.filter(({ seconds, deadline }) => seconds > deadline)),
      tooLarge: [...large],
      deadline: new Date(night).toISOString(),
      endsAt: new Date(now + played.endsAt * 1000).toISOString(),
      ...(chosen ? missing(chosen, rooms) : { missingVcpus: {} }),
      measured: due.filter(({ tenantId }) => durations.isMeasured(tenantId)).length,
    },
  };
}
