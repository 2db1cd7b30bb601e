import { describe, expect, it } from 'vitest';
import type { Capacity } from '../../lib/training/run.ts';
import { hour, type MarketSettings, price, SpotMarket, workOf } from './spot-market.ts';
import { SimulatedNight } from './spot-night.ts';
import { Nodes } from './spot-nodes.ts';
import { clairvoyantCost, isHopeless, onDemandCost } from './spot-oracle.ts';

const works = workOf(11, 60);
const calm: MarketSettings = { perHour: 1e-9, withNotice: 1, droughtShare: 0 };

function night(market: MarketSettings, over: { deadline?: number; vcpus?: Record<Capacity, number> } = {}) {
  const drawn = new SpotMarket(11, market);
  const deadline = over.deadline ?? 10 * hour;
  const vcpus = over.vcpus ?? { spot: 120, 'on-demand': 30 };
  const settings = {
    seed: 11,
    works,
    market: drawn,
    maxConcurrency: 30,
    vcpus,
    memoryPerVcpu: 2_048,
    deadline,
  };
  return {
    figures: new SimulatedNight(settings).run(),
    clairvoyant: clairvoyantCost(works, drawn, deadline),
  };
}

/** The simulation behind `npm run bench -- spot`: its own checks, so that its figures mean what they say. */
describe('nodes that are paid for whole', () => {
  it('nodes hold three jobs of training each, and are paid for until they were empty for ten minutes', () => {
    const nodes = new Nodes(() => 1);
    for (const name of ['a', 'b', 'c']) nodes.place(name, 4, 0);
    nodes.place('small', 1, 0);
    nodes.place('d', 4, 0);
    for (const name of ['a', 'b', 'c', 'small', 'd']) nodes.leave(name, hour);
    expect(nodes.cost()).toBeCloseTo(2 * 16 * (1 + 1 / 6), 6);
  });

  it('an empty node takes the next job instead of a new one, until it is gone', () => {
    const nodes = new Nodes(() => 1);
    nodes.place('a', 4, 0);
    nodes.leave('a', hour);
    nodes.place('b', 4, hour + 300_000);
    nodes.leave('b', 2 * hour);
    nodes.place('c', 4, 3 * hour);
    nodes.leave('c', 4 * hour);
    expect(nodes.cost()).toBeCloseTo(16 * (2 + 1 / 6) + 16 * (1 + 1 / 6), 6);
  });
});

describe('a simulated night', () => {
  it('that nothing disturbs costs exactly what its work costs on spot', () => {
    const { figures, clairvoyant } = night(calm);
    expect(figures).toMatchObject({ failed: 0, missed: 0, reclaims: 0, attempts: 60 * 5, workLost: 0 });
    expect(figures.cost).toBeCloseTo(onDemandCost(works) * price.spot, 6);
    expect(clairvoyant).toBeCloseTo(figures.cost, 6);
  });

  it('is the same again from the same seed, and another from another', () => {
    const storm = { perHour: 0.3, withNotice: 0.5, droughtShare: 0.2 };
    expect(night(storm)).toEqual(night(storm));
    expect(night(storm)).not.toEqual(night({ ...storm, withNotice: 0.6 }));
  });

  it('never costs less than the clairvoyant pays, who has no queue and knows what comes', () => {
    for (const perHour of [0.01, 0.1, 0.3])
      for (const droughtShare of [0, 0.2]) {
        const { figures, clairvoyant } = night({ perHour, withNotice: 0.9, droughtShare });
        expect(figures.cost).toBeGreaterThanOrEqual(clairvoyant - 1e-6);
        expect(clairvoyant).toBeGreaterThanOrEqual(onDemandCost(works) * price.spot - 1e-6);
      }
  });

  it('ends every run whatever the market does, and no stage spends all of the platform’s retries', () => {
    const { figures } = night({ perHour: 5, withNotice: 0.5, droughtShare: 0.3 }, { deadline: 40 * hour });
    expect(figures).toMatchObject({ failed: 0, missed: 0 });
    expect(figures.mostRetries).toBeLessThan(10);
  });

  it('without spot for two hours misses nothing with a quarter of on-demand room, and much with almost none', () => {
    const dry = { ...calm, droughts: [[0, 2]] as const };
    const roomy = night(dry);
    expect(roomy.figures.missed).toBe(0);
    expect(roomy.figures.onDemandShare).toBeLessThan(0.5);
    expect(
      night(dry, { vcpus: { spot: 120, 'on-demand': 4 }, deadline: 5 * hour }).figures.missed,
    ).toBeGreaterThan(5);
  });

  it('moves only what on-demand has room for: what waits for spot starts there once it is back', () => {
    const { figures } = night({ ...calm, droughts: [[0.5, 1.5]] });
    expect(figures.missed).toBe(0);
    // 30 vCPU hold seven jobs of training at a time; without the bound every waiting job would be moved, and wait there.
    expect(figures.unplaceable).toBeLessThan(60);
    expect(figures.mostRetries).toBeLessThanOrEqual(2);
  });

  it('loses a share of what runs at a fixed time to a storm, the same runs for whoever looks', () => {
    const market = new SpotMarket(11, { ...calm, storms: [{ at: 2, share: 0.5 }] });
    const hit = Array.from({ length: 400 }, (_, run) => market.nextReclaim(run, hour)?.at);
    const together = hit.filter((at) => at === 2 * hour).length;
    expect(together).toBeGreaterThan(150);
    expect(together).toBeLessThan(250);
    expect(market.nextReclaim(0, hour)).toEqual(market.nextReclaim(0, hour));
  });

  it('waits for spot as long as its plan lets it, and is cheaper for it', () => {
    const market = new SpotMarket(11, { ...calm, droughts: [[0.5, 3.5]] });
    const run = (spotUntil: number) =>
      new SimulatedNight({
        seed: 11,
        works,
        market,
        maxConcurrency: 40,
        vcpus: { spot: 120, 'on-demand': 120 },
        memoryPerVcpu: 2_048,
        deadline: 10 * hour,
        spotUntil: new Map(works.map(({ tenantId }) => [tenantId, spotUntil])),
      }).run();
    expect(run(5 * hour)).toMatchObject({ missed: 0, unplaceable: 0, onDemandShare: 0 });
    expect(run(0).onDemandShare).toBeGreaterThan(0.1);
  });

  it('is hopeless when the rooms cannot hold the work, and not when they can', () => {
    const market = new SpotMarket(11, { ...calm, droughts: [[0, 48]] });
    const night = { deadline: 10 * hour, vcpus: { spot: 120, 'on-demand': 20 } };
    expect(isHopeless(works, market, night)).toBe(true);
    expect(isHopeless(works, market, { ...night, vcpus: { spot: 120, 'on-demand': 120 } })).toBe(false);
  });

  it('counts runs that end after the deadline', () => {
    expect(night(calm, { deadline: hour }).figures.missed).toBeGreaterThan(30);
  });

  it('meets the targets for interruptions of 20 % an hour', () => {
    const { figures, clairvoyant } = night({ perHour: 0.2, withNotice: 0.9, droughtShare: 0 });
    expect(figures).toMatchObject({ failed: 0, missed: 0 });
    expect(figures.cost / clairvoyant).toBeLessThanOrEqual(1.1);
    expect(1 - figures.cost / onDemandCost(works)).toBeGreaterThanOrEqual(0.6);
    expect(figures.workLost).toBeLessThanOrEqual(0.02);
  });
});
