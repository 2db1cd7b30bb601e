import type { Tenant } from '../../lib/tenants/tenant.ts';
import { agingSeconds } from '../../lib/training/attempts/fair-share.ts';
import { FairQueue } from '../../local/jobs/fair-queue.ts';
import { planned } from '../fixtures/nights.ts';
import { aTenant } from '../fixtures/records.ts';
import { hour, minute, type RunWork, workOf } from './spot-market.ts';

interface Flood {
  /** Jobs that run at a time. */
  readonly slots: number;
  readonly jobs: number;
  /** Milliseconds each job takes. */
  readonly takes: number;
  /** Priorities of the flooding tenant and of the other. */
  readonly priority: readonly [flood: number, single: number];
}

/** One tenant has filled the queue; another's single job arrives: dispatches and milliseconds until it starts. */
function flood({ slots, jobs, takes, priority }: Flood): {
  readonly dispatches: number;
  readonly waited: number;
} {
  let now = 0;
  const queue = new FairQueue({ cpu: slots, memoryMiB: slots }, () => now);
  const wants = { cpu: 1, memoryMiB: 1 };
  for (let index = 0; index < jobs; index += 1)
    queue.add({ name: `flood-${index}`, tenantId: 'flood', wants, priority: priority[0] });
  const running = queue.take().map((name, index) => ({ name, until: ((index + 1) * takes) / slots }));
  now = 10 * takes * (1 / slots);
  queue.add({ name: 'single', tenantId: 'small', wants, priority: priority[1] });
  const arrived = now;
  let dispatches = 0;
  for (;;) {
    running.sort((a, b) => a.until - b.until);
    const over = running.shift();
    if (!over) throw new Error('the single job never started');
    now = Math.max(now, over.until);
    queue.remove(over.name);
    for (const name of queue.take()) {
      dispatches += 1;
      if (name === 'single') return { dispatches, waited: now - arrived };
      running.push({ name, until: now + takes });
    }
  }
}

/** When each tenant is done, if a night runs so many at a time in the order of the night's list. */
function doneTimes(
  order: readonly string[],
  takes: (tenantId: string) => number,
  slots: number,
): Map<string, number> {
  const free = Array<number>(slots).fill(0);
  const done = new Map<string, number>();
  for (const tenantId of order) {
    free.sort((a, b) => a - b);
    const at = (free.shift() ?? 0) + takes(tenantId);
    free.push(at);
    done.set(tenantId, at);
  }
  return done;
}

const lengthOf = ({ stages: { prepare, train, index, cache } }: RunWork) => prepare + train + index + cache;

/** F27: two tenants of 200 hang until their stage times out. How much later are the others done, before and in quarantine? */
function poison(seed: number): Record<string, unknown> {
  const works = workOf(seed, 200);
  const hangs = new Set(['tenant-00010', 'tenant-00101']);
  const lengths = new Map(works.map((work) => [work.tenantId, lengthOf(work)]));
  const tenants: Tenant[] = works.map(({ tenantId }) => aTenant({ tenantId }));
  const slots = 10;
  const lastDone = (last: ReadonlySet<string>, hang: boolean) => {
    const order = planned({ due: tenants, last }).order;
    const takes = (tenantId: string) =>
      hang && hangs.has(tenantId) ? 12 * hour : (lengths.get(tenantId) ?? 0);
    const done = [...doneTimes(order, takes, slots)].filter(([tenantId]) => !hangs.has(tenantId));
    return done.reduce((sum, [, at]) => sum + at, 0) / done.length;
  };
  const healthy = lastDone(new Set(), false);
  return {
    tenants: 200,
    atATime: slots,
    hanging: hangs.size,
    hangsForHours: 12,
    delayOfOthersBeforeQuarantine: lastDone(new Set(), true) / healthy - 1,
    delayOfOthersInQuarantine: lastDone(hangs, true) / healthy - 1,
    target: 'in quarantine <= 0.05',
  };
}

/** Fairness between tenants: floods, priorities and poison. */
export function fairness(seed: number): Record<string, unknown> {
  const of = (settings: Flood) => {
    const { dispatches, waited } = flood(settings);
    return { ...settings, takes: settings.takes / minute, dispatches, waitedMinutes: waited / minute };
  };
  const usual = { jobs: 1_000, priority: [50, 50] } as const;
  return {
    flood: [
      of({ ...usual, slots: 1, takes: 10 * minute }),
      of({ ...usual, slots: 50, takes: 60 * minute }),
      of({ ...usual, slots: 200, takes: 60 * minute }),
    ],
    floodTarget: 'dispatches <= 2',
    // The single job has the lowest priority and the flood the highest: 100 points are 100 minutes of waiting.
    floodOfUrgentJobs: of({ jobs: 1_000, priority: [100, 0], slots: 10, takes: 10 * minute }),
    floodOfUrgentJobsTarget: `waited <= ${(100 * agingSeconds) / 60} minutes and one turn`,
    poison: poison(seed),
  };
}
