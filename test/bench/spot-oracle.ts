import type { StageName } from '../../lib/training/stages.ts';
import { cost, epochs, hour, minute, type RunWork, type SpotMarket, startup } from './spot-market.ts';

interface Way {
  readonly end: number;
  readonly cost: number;
}

/** Longest that the clairvoyant looks ahead for a better moment to begin. */
const looksAhead = 6;

/** One stage on spot from a moment on, through every reclaim that is coming; training loses nothing it knows to save. */
function onSpot(work: RunWork, stage: StageName, market: SpotMarket, from: number): Way {
  const total = work.stages[stage];
  let at = market.placeableFrom(from);
  let left = total;
  let paid = 0;
  for (;;) {
    const reclaim = market.nextReclaim(work.run, at);
    const done = at + startup + left;
    if (!reclaim || reclaim.at >= done)
      return { end: done, cost: paid + cost(stage, 'spot', startup + left, market.priceAt('spot', at)) };
    paid += cost(stage, 'spot', reclaim.at - at, market.priceAt('spot', at));
    const progress = Math.max(0, reclaim.at - at - startup);
    if (stage === 'train')
      left -= reclaim.notice ? progress : Math.floor(progress / (total / epochs)) * (total / epochs);
    at = market.placeableFrom(reclaim.at);
  }
}

/** The cheapest way through one stage that leaves time to finish the rest on on-demand capacity. */
function best(
  work: RunWork,
  stage: StageName,
  on: { market: SpotMarket; from: number; latest: number },
): Way {
  const { market, from, latest } = on;
  const total = startup + work.stages[stage];
  const dear = market.onDemandFrom(from);
  let chosen: Way = { end: dear + total, cost: cost(stage, 'on-demand', total) };
  let start: number | undefined = from;
  for (let turn = 0; turn < looksAhead && start !== undefined; turn += 1) {
    const way = onSpot(work, stage, market, start);
    if (way.end <= latest && way.cost < chosen.cost - 1e-9) chosen = way;
    start = market.nextReclaim(work.run, start)?.at;
  }
  return chosen;
}

/**
 * A scheduler that knows every reclaim and every drought beforehand, has no queue to wait in and waits for nothing: for
 * each stage it takes the cheapest way that keeps the deadline. What is reached without foresight is put beside it.
 */
export function clairvoyantCost(works: readonly RunWork[], market: SpotMarket, deadline: number): number {
  let total = 0;
  for (const work of works) {
    const order = ['prepare', 'train', 'index', 'cache'] as const;
    let at = 0;
    for (const [index, stage] of order.entries()) {
      const rest = order.slice(index + 1).reduce((sum, next) => sum + startup + work.stages[next], 0);
      const way = best(work, stage, { market, from: at, latest: deadline - rest - minute });
      total += way.cost;
      // Deploy runs beside cache.
      if (stage === 'cache') total += best(work, 'deploy', { market, from: at, latest: deadline }).cost;
      at = way.end;
    }
  }
  return total;
}

/**
 * What the work costs at least in queues of this size, however it is placed: spot holds no more than its room, outside of droughts
 * and for as long as the longest stage that was running when one began.
 */
export function fluidCost(
  works: readonly RunWork[],
  market: SpotMarket,
  night: { readonly deadline: number; readonly spotVcpus: number },
): number {
  const longest = Math.max(...works.map(({ stages }) => stages.train)) + startup;
  let [open, begunAt, cheapest] = [0, Number.NEGATIVE_INFINITY, market.priceAt('spot', 0)];
  for (let at = 0; at < night.deadline; at += minute) {
    const isDry = market.placeableFrom(at) !== at;
    if (!isDry) begunAt = at;
    if (!isDry || at - begunAt < longest) open += minute;
    cheapest = Math.min(cheapest, market.priceAt('spot', at));
  }
  const need = onDemandCost(works);
  const onSpotMost = Math.min(need, (night.spotVcpus * open) / hour);
  return onSpotMost * cheapest + need - onSpotMost;
}

/** All on on-demand capacity, which is never taken away. */
export function onDemandCost(works: readonly RunWork[]): number {
  const stages = ['prepare', 'train', 'index', 'deploy', 'cache'] as const;
  return works.reduce(
    (sum, work) =>
      sum + stages.reduce((all, stage) => all + cost(stage, 'on-demand', startup + work.stages[stage]), 0),
    0,
  );
}

/**
 * Whether nobody could have kept every deadline: more work than both queues hold until then, or a run that is longer than the time
 * in which any capacity is given. Where it is false, somebody who knew everything might have.
 */
export function isHopeless(
  works: readonly RunWork[],
  market: SpotMarket,
  night: { readonly deadline: number; readonly vcpus: Readonly<Record<'spot' | 'on-demand', number>> },
): boolean {
  const step = minute;
  let [room, hours] = [0, 0];
  for (let at = 0; at < night.deadline; at += step) {
    const spot = market.placeableFrom(at) === at;
    const dear = market.onDemandFrom(at) === at;
    room += (spot ? night.vcpus.spot : 0) + (dear ? night.vcpus['on-demand'] : 0);
    if (spot || dear) hours += step;
  }
  const order = ['prepare', 'train', 'index', 'deploy', 'cache'] as const;
  const need = works.reduce(
    (sum, work) => sum + order.reduce((all, stage) => all + cost(stage, 'on-demand', work.stages[stage]), 0),
    0,
  );
  const longest = Math.max(
    ...works.map(
      ({ stages: { prepare, train, index, cache } }) => prepare + train + index + cache + 4 * startup,
    ),
  );
  return need > (room * step) / hour || longest > hours;
}
