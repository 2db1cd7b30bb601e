import type { StageName } from '../../lib/training/stages.ts';
import { cost, epochs, minute, type RunWork, type SpotMarket, startup } from './spot-market.ts';

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
      return { end: done, cost: paid + cost(stage, 'spot', startup + left) };
    paid += cost(stage, 'spot', reclaim.at - at);
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
  let chosen: Way = { end: from + total, cost: cost(stage, 'on-demand', total) };
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

/** All on on-demand capacity, which is never taken away. */
export function onDemandCost(works: readonly RunWork[]): number {
  const stages = ['prepare', 'train', 'index', 'deploy', 'cache'] as const;
  return works.reduce(
    (sum, work) =>
      sum + stages.reduce((all, stage) => all + cost(stage, 'on-demand', startup + work.stages[stage]), 0),
    0,
  );
}
