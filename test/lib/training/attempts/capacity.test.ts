import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chooseCapacity,
  hurryOf,
  lastTriesOnDemand,
  platformRetries,
} from '../../../../lib/training/attempts/capacity.ts';
import type { Attempt } from '../../../../lib/training/run.ts';
import { anAttempt } from '../../../fixtures/records.ts';

const policy = { spotAllowed: true, preemptionsBeforeOnDemand: 2 };
const reclaimed = anAttempt({ status: 'preempted', reason: 'preempted' });
const lost = anAttempt({ status: 'lost', reason: 'lost' });
const failed = anAttempt({ status: 'failed', reason: 'error' });
const noSpot = anAttempt({ status: 'preempted', reason: 'unplaceable' });
const noOnDemand = anAttempt({ status: 'preempted', reason: 'unplaceable', capacity: 'on-demand' });

describe('chooseCapacity', () => {
  it.each<[string, Attempt[], Partial<typeof policy>, string, string]>([
    ['spot at first', [], {}, 'spot', 'spot-first'],
    ['spot after one reclaim', [reclaimed], {}, 'spot', 'spot-first'],
    ['F17: on-demand after the second', [reclaimed, reclaimed], {}, 'on-demand', 'preempted'],
    ['a loss without notice like a reclaim', [reclaimed, lost], {}, 'on-demand', 'preempted'],
    ['on-demand at once when spot was not placed', [noSpot], {}, 'on-demand', 'spot-unplaceable'],
    [
      'on-demand still when the job then failed by itself',
      [noSpot, { ...failed, capacity: 'on-demand' }],
      {},
      'on-demand',
      'spot-unplaceable',
    ],
    [
      'F18: spot again when on-demand was not placed either',
      [noSpot, noOnDemand],
      {},
      'spot',
      'on-demand-unplaceable',
    ],
    [
      'on-demand in turn when neither was placed',
      [noSpot, noOnDemand, noSpot],
      {},
      'on-demand',
      'spot-unplaceable',
    ],
    [
      'on-demand for a stage that was reclaimed twice, placed or not',
      [reclaimed, reclaimed, noOnDemand],
      {},
      'on-demand',
      'preempted',
    ],
    ['spot after any number of the job’s own failures', Array(5).fill(failed), {}, 'spot', 'spot-first'],
    [
      'spot after a reclaim that hit on-demand capacity',
      Array(2).fill({ ...reclaimed, capacity: 'on-demand' }),
      {},
      'spot',
      'spot-first',
    ],
    ['on-demand where spot is not allowed', [], { spotAllowed: false }, 'on-demand', 'spot-forbidden'],
    [
      'on-demand where it is not allowed though on-demand was not placed',
      [noOnDemand],
      { spotAllowed: false },
      'on-demand',
      'spot-forbidden',
    ],
  ])('%s', (_, earlier, over, capacity, capacityBecause) => {
    expect(chooseCapacity(earlier, { ...policy, ...over })).toEqual({ capacity, capacityBecause });
  });

  it('chooseCapacity does not risk the last tries on spot, however often it may be preempted', () => {
    const brave = { ...policy, preemptionsBeforeOnDemand: 100 };
    const tries = Array.from(
      { length: platformRetries + 1 },
      (_, n) => chooseCapacity(Array(n).fill(reclaimed), brave).capacity,
    );
    expect(tries.slice(-lastTriesOnDemand)).toEqual(['on-demand', 'on-demand']);
    expect(tries.slice(0, -lastTriesOnDemand).every((capacity) => capacity === 'spot')).toBe(true);
  });

  it('chooseCapacity counts the tries of the newest redrive only, because its retriers start again', () => {
    const brave = { ...policy, preemptionsBeforeOnDemand: 100 };
    const before = Array<Attempt>(platformRetries).fill(reclaimed);
    const after = { ...failed, redriveCount: 1 };
    expect(chooseCapacity(before, brave).capacityBecause).toBe('last-tries');
    expect(chooseCapacity([...before, after], brave).capacityBecause).toBe('spot-first');
  });

  it('chooseCapacity counts with the budget that the machine gives every stage', () => {
    const budgets: number[] = [];
    JSON.parse(
      readFileSync('statemachines/tenant-model-training.asl.json', 'utf8'),
      (_, value: Record<string, unknown> | null) => {
        const errors = value?.['ErrorEquals'];
        if (Array.isArray(errors) && errors.includes('JobPreempted'))
          budgets.push(Number(value?.['MaxAttempts']));
        return value;
      },
    );
    expect(budgets).toEqual(Array(5).fill(platformRetries));
  });

  const attempts = fc.array(
    fc.constantFrom(reclaimed, lost, failed, noSpot, noOnDemand, anAttempt({ status: 'cancelled' })),
    { maxLength: 15 },
  );

  it('chooseCapacity never allows more reclaims than the policy, nor spot where it is forbidden', () => {
    fc.assert(
      fc.property(attempts, fc.integer({ min: 0, max: 5 }), (earlier, preemptionsBeforeOnDemand) => {
        const choice = chooseCapacity(earlier, { spotAllowed: true, preemptionsBeforeOnDemand });
        const reclaims = earlier.filter((one) => one === reclaimed || one === lost).length;
        if (choice.capacity === 'spot') expect(reclaims).toBeLessThan(preemptionsBeforeOnDemand);
        expect(chooseCapacity(earlier, { ...policy, spotAllowed: false }).capacity).toBe('on-demand');
      }),
    );
  });

  it("chooseCapacity does not depend on the job's own failures, wherever they occur", () => {
    fc.assert(
      fc.property(attempts, (earlier) => {
        const without = earlier.filter((one) => one !== failed);
        expect(chooseCapacity(earlier, policy)).toEqual(chooseCapacity(without, policy));
      }),
    );
  });

  it('chooseCapacity never asks for the kind that was missing last while the other is allowed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(noSpot, noOnDemand), { minLength: 1, maxLength: 8 }),
        (earlier) => {
          expect(chooseCapacity(earlier, policy).capacity).not.toBe(earlier.at(-1)?.capacity);
        },
      ),
    );
  });
});

describe('chooseCapacity in a night that knows its deadline', () => {
  const found = { capacityBecause: 'spot-unplaceable' } as const;

  it('chooseCapacity bears twice as many reclaims while there is time', () => {
    const hasTime = { ...policy, ...hurryOf(1_000, undefined, 999) };
    expect(chooseCapacity(Array(3).fill(reclaimed), hasTime).capacity).toBe('spot');
    expect(chooseCapacity(Array(4).fill(reclaimed), hasTime).capacityBecause).toBe('preempted');
    expect(
      chooseCapacity(Array(2).fill(reclaimed), { ...policy, ...hurryOf(1_000, undefined, 1_000) }),
    ).toEqual({
      capacity: 'on-demand',
      capacityBecause: 'preempted',
    });
  });

  it('chooseCapacity asks on-demand at once when the stage before found no spot and no time is left', () => {
    expect(chooseCapacity([], { ...policy, ...hurryOf(1_000, found, 1_000) }).capacityBecause).toBe(
      'spot-unplaceable',
    );
    expect(chooseCapacity([], { ...policy, ...hurryOf(1_000, found, 999) }).capacity).toBe('spot');
    expect(
      chooseCapacity([], { ...policy, ...hurryOf(1_000, { capacityBecause: 'preempted' }, 1_000) }).capacity,
    ).toBe('spot');
    expect(chooseCapacity([noOnDemand], { ...policy, ...hurryOf(1_000, found, 1_000) }).capacity).toBe(
      'spot',
    );
  });

  it('chooseCapacity knows no hurry in a run without a deadline', () => {
    expect(hurryOf(undefined, found, 5)).toEqual({});
  });
});
