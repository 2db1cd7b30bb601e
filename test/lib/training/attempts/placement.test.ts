import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  placementOf,
  type QueueFacts,
  trickleWaitFactor,
} from '../../../../lib/training/attempts/placement.ts';

const now = Date.parse('2026-11-24T03:00:00Z');
const limit = { now, limitSeconds: 600 };
const ago = (seconds: number) => now - seconds * 1000;
const job = (seconds: number, vcpus = 4) => ({ since: ago(seconds), vcpus });

describe('placementOf', () => {
  it.each<[string, number, QueueFacts, string]>([
    ['waits until the limit', 599, { vcpus: 800, runningVcpus: 0 }, 'waiting'],
    [
      'is unplaceable in an empty queue that starts nothing',
      600,
      { vcpus: 800, runningVcpus: 0 },
      'unplaceable',
    ],
    [
      'is unplaceable in a queue that is not full and has started nothing for the limit',
      900,
      { vcpus: 800, runningVcpus: 300, lastStartAt: ago(600) },
      'unplaceable',
    ],
    [
      'queues behind our own jobs in a full queue, for as long as it takes',
      90_000,
      { vcpus: 800, runningVcpus: 800, lastStartAt: ago(50_000) },
      'behind-our-own',
    ],
    [
      'queues behind our own where what is left is too small for it',
      900,
      { vcpus: 800, runningVcpus: 797 },
      'behind-our-own',
    ],
    [
      'queues behind our own while the queue starts some of them',
      900,
      { vcpus: 800, runningVcpus: 300, lastStartAt: ago(599) },
      'behind-our-own',
    ],
    [
      'is unplaceable in a queue that is not full and only trickles',
      600 * trickleWaitFactor,
      { vcpus: 800, runningVcpus: 300, lastStartAt: ago(5) },
      'unplaceable',
    ],
    [
      'queues behind anything of ours where the size is not known',
      900,
      { vcpus: 0, runningVcpus: 0.5 },
      'behind-our-own',
    ],
    [
      'is unplaceable where the size is not known and nothing runs',
      900,
      { vcpus: 0, runningVcpus: 0 },
      'unplaceable',
    ],
    [
      'is unplaceable when it is larger than its empty queue',
      900,
      { vcpus: 2, runningVcpus: 0 },
      'unplaceable',
    ],
  ])('%s', (_, seconds, queue, verdict) => {
    expect(placementOf(job(seconds), queue, limit)).toBe(verdict);
  });

  const facts = fc.record({
    vcpus: fc.integer({ min: 0, max: 100 }),
    runningVcpus: fc.integer({ min: 0, max: 100 }),
    lastStartAt: fc.integer({ min: 0, max: 100_000 }).map(ago),
  });

  it("placementOf never gives up a job in a queue that Epsilon's own jobs fill", () => {
    fc.assert(
      fc.property(facts, fc.integer({ min: 0, max: 1_000_000 }), (queue, waited) => {
        const full = { ...queue, runningVcpus: Math.max(queue.vcpus, 1) };
        expect(placementOf(job(waited), full, limit)).not.toBe('unplaceable');
      }),
    );
  });

  it('placementOf waits for spot as long as the night has time, and not a millisecond longer', () => {
    const empty = { vcpus: 800, runningVcpus: 0 };
    expect(placementOf({ ...job(90_000), spotUntil: now + 1 }, empty, limit)).toBe('waiting');
    expect(placementOf({ ...job(90_000), spotUntil: now }, empty, limit)).toBe('unplaceable');
    expect(placementOf({ ...job(599), spotUntil: now - 1 }, empty, limit)).toBe('waiting');
  });

  it("placementOf gives up every job in the end where Epsilon's own jobs do not fill the queue", () => {
    fc.assert(
      fc.property(facts, (queue) => {
        const roomy = { ...queue, vcpus: queue.runningVcpus + 4 };
        expect(placementOf(job(600 * trickleWaitFactor), roomy, limit)).toBe('unplaceable');
      }),
    );
  });

  it('placementOf does not change its mind when a job waits longer with the same facts', () => {
    fc.assert(
      fc.property(
        facts,
        fc.integer({ min: 600, max: 10_000 }),
        fc.integer({ min: 0, max: 10_000 }),
        (queue, waited, more) => {
          if (placementOf(job(waited), queue, limit) === 'unplaceable')
            expect(placementOf(job(waited + more), queue, limit)).toBe('unplaceable');
        },
      ),
    );
  });
});
