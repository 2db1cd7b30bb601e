import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agingSeconds, ShareLedger } from '../../../lib/training/attempts/fair-share.ts';
import { FairQueue, type HostResources } from '../../../local/jobs/fair-queue.ts';

function aQueue(host: HostResources = { cpu: 2, memoryMiB: 100 }) {
  const time = { now: 0 };
  const queue = new FairQueue(host, () => time.now);
  const job = (
    name: string,
    cpu = 1,
    over: { tenantId?: string; priority?: number; memoryMiB?: number } = {},
  ) => ({
    name,
    tenantId: over.tenantId ?? 'acme',
    priority: over.priority ?? 50,
    wants: { cpu, memoryMiB: over.memoryMiB ?? 1 },
  });
  const add = (...args: Parameters<typeof job>) => queue.add(job(...args));
  return { queue, time, job, add };
}

/** One job at a time, each taking `seconds`; the names in the order of their starts. */
function drain({ queue, time }: ReturnType<typeof aQueue>, seconds: number, most = 10_000): string[] {
  const order: string[] = [];
  for (let started = queue.take(); started.length > 0 && order.length < most; started = queue.take()) {
    order.push(...started);
    time.now += seconds * 1000;
    for (const name of started) queue.remove(name);
  }
  return order;
}

/** vCPU of a tenant that a ledger counts as running: what is left of its use when all that was spent weighs nothing. */
function runningIn(ledger: ShareLedger, tenantId: string): number {
  const one = new ShareLedger();
  one.change('one', 1, 0);
  const late = 1e12;
  return ledger.useOf(tenantId, late) / one.useOf('one', late);
}

const acts = ['add', 'occupy', 'remove', 'take', 'time passes'] as const;

describe('the counts of the queue of one host', () => {
  it('balance whatever comes, ends or is adopted: each job is counted once, and nothing is left when all is over', () => {
    const act = fc.tuple(fc.constantFrom(...acts), fc.integer({ min: 0, max: 5 }));
    const check = (steps: readonly (readonly [(typeof acts)[number], number])[]) => {
      const ledger = new ShareLedger();
      let now = 0;
      const queue = new FairQueue({ cpu: 2, memoryMiB: 100 }, () => now, ledger);
      const [waiting, running] = [new Set<number>(), new Set<number>()];
      const jobOf = (n: number) => ({
        name: `job-${n}`,
        tenantId: `tenant-${n % 2}`,
        priority: n * 10,
        wants: { cpu: 0.5 + (n % 3) / 4, memoryMiB: 1 },
      });
      const balance = () => {
        expect(queue.runningCount).toBe(running.size);
        for (const tenant of [0, 1]) {
          const mine = [...running].filter((n) => n % 2 === tenant);
          const wants = mine.reduce((sum, n) => sum + jobOf(n).wants.cpu, 0);
          expect(runningIn(ledger, `tenant-${tenant}`)).toBeCloseTo(wants, 6);
        }
        for (let n = 0; n <= 5; n += 1) expect(queue.isWaiting(`job-${n}`)).toBe(waiting.has(n));
      };
      for (const [what, n] of steps) {
        const isNew = !waiting.has(n) && !running.has(n);
        if (what === 'add' && isNew) {
          queue.add(jobOf(n));
          waiting.add(n);
        } else if (what === 'occupy' && !waiting.has(n)) {
          queue.occupy(jobOf(n));
          running.add(n);
        } else if (what === 'remove') {
          expect(queue.remove(`job-${n}`)).toBe(!isNew);
          waiting.delete(n);
          running.delete(n);
        } else if (what === 'take')
          for (const name of queue.take()) {
            waiting.delete(Number(name.slice(4)));
            running.add(Number(name.slice(4)));
          }
        else now += 60_000;
        balance();
      }
      for (const n of [...waiting, ...running]) queue.remove(`job-${n}`);
      [waiting, running].forEach((set) => {
        set.clear();
      });
      balance();
    };
    fc.assert(fc.property(fc.array(act, { maxLength: 40 }), check), { numRuns: 200 });
  });
});

describe('the queue of one host', () => {
  it('the queue starts jobs by priority, then in order of arrival, as long as they fit', () => {
    const { queue, add } = aQueue();
    add('first');
    add('urgent', 1, { priority: 90 });
    add('second');
    expect(queue.take()).toEqual(['urgent', 'first']);
    queue.remove('urgent');
    expect(queue.take()).toEqual(['second']);
  });

  it('the queue never lets small jobs overtake a large one whose turn it is', () => {
    const { queue, add } = aQueue();
    add('a');
    queue.take();
    add('large', 2, { tenantId: 'beta' });
    add('small', 0.5);
    expect(queue.take()).toEqual([]);
    add('other', 0.5, { tenantId: 'gamma' });
    expect(queue.take()).toEqual([]);
    queue.remove('a');
    expect(queue.take()).toEqual(['large']);
  });

  it('the queue starts a more urgent job before one whose turn it is but that has not started', () => {
    const { queue, add } = aQueue();
    add('a');
    queue.take();
    add('large', 2);
    queue.take();
    add('urgent', 1, { tenantId: 'beta', priority: 90 });
    expect(queue.take()).toEqual(['urgent']);
  });

  it('the queue continues when the job whose turn it is was removed', () => {
    const { queue, add } = aQueue();
    add('a');
    queue.take();
    add('large', 2);
    add('small', 0.5);
    expect(queue.take()).toEqual([]);
    expect(queue.remove('large')).toBe(true);
    expect(queue.isWaiting('large')).toBe(false);
    expect(queue.take()).toEqual(['small']);
    expect(queue.remove('large')).toBe(false);
  });

  it('the queue counts memory as well, and adopted jobs once', () => {
    const { queue, add, job } = aQueue();
    queue.occupy(job('adopted', 0.1, { memoryMiB: 95 }));
    queue.occupy(job('adopted', 0.1, { memoryMiB: 95 }));
    add('b', 0.1, { memoryMiB: 10 });
    expect(queue.take()).toEqual([]);
    queue.remove('adopted');
    expect(queue.take()).toEqual(['b']);
    expect(queue.runningCount).toBe(1);
  });
});

describe('tenants that share a host', () => {
  const one = { cpu: 1, memoryMiB: 100 };

  it('tenants take turns, whoever came first with how many jobs', () => {
    const bench = aQueue(one);
    for (const name of ['a1', 'a2', 'a3']) bench.add(name, 1, { tenantId: 'a' });
    for (const name of ['b1', 'b2']) bench.add(name, 1, { tenantId: 'b' });
    expect(drain(bench, 10)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
  });

  it("a tenant does not wait for another's backlog: a single job starts within two dispatches", () => {
    for (const seconds of [1, 300, 20_000]) {
      const bench = aQueue(one);
      for (let index = 0; index < 1_000; index += 1) bench.add(`flood-${index}`, 1, { tenantId: 'flood' });
      drain(bench, seconds, 10);
      bench.add('single', 1, { tenantId: 'small' });
      expect(drain(bench, seconds, 20).indexOf('single')).toBeLessThan(2);
    }
  });

  it('tenants share by what they use, not by the number of jobs', () => {
    const bench = aQueue({ cpu: 4, memoryMiB: 100 });
    for (let index = 0; index < 20; index += 1) {
      bench.add(`large-${index}`, 4, { tenantId: 'large' });
      bench.add(`small-${index}`, 1, { tenantId: 'small' });
    }
    const order = drain(bench, 30, 15);
    const of = (tenant: string) => order.filter((name) => name.startsWith(tenant)).length;
    expect(of('small')).toBeGreaterThan(of('large'));
    expect(of('large')).toBeGreaterThan(0);
  });

  it('tenants are ordered by priority, but waiting outweighs it in the end', () => {
    const bench = aQueue(one);
    bench.add('patient', 1, { tenantId: 'low', priority: 20 });
    for (let index = 0; index < 200; index += 1)
      bench.add(`urgent-${index}`, 1, { tenantId: 'high', priority: 50 });
    const before = drain(bench, agingSeconds, 100).indexOf('patient');
    expect(before).toBeGreaterThan(20);
    expect(before).toBeLessThanOrEqual(32);
  });

  it('a tenant waits for at most one turn of every other tenant of its priority', () => {
    const arrivals = fc.array(
      fc.record({ tenant: fc.integer({ min: 0, max: 5 }), jobs: fc.integer({ min: 1, max: 30 }) }),
      { minLength: 2, maxLength: 12 },
    );
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 5_000 }), (lines, seconds) => {
        const bench = aQueue(one);
        for (const [round, { tenant, jobs }] of lines.entries())
          for (let index = 0; index < jobs; index += 1)
            bench.add(`${tenant}-${round}-${index}`, 1, { tenantId: `t${tenant}` });
        const order = drain(bench, seconds).map((name) => name.split('-')[0] ?? '');
        const tenants = new Set(order);
        expect(order).toHaveLength(lines.reduce((sum, { jobs }) => sum + jobs, 0));
        for (const tenant of tenants) {
          const turns = order.flatMap((name, at) => (name === tenant ? [at] : []));
          for (const [index, at] of turns.entries())
            expect(at - (turns[index - 1] ?? -1)).toBeLessThanOrEqual(tenants.size);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('the queue never starts more than fits, and starts everything in the end', () => {
    const jobs = fc.array(
      fc.record({
        tenant: fc.integer({ min: 0, max: 3 }),
        cpu: fc.constantFrom(0.5, 1, 2, 4, 9),
        memoryMiB: fc.constantFrom(1, 40, 90, 500),
        priority: fc.integer({ min: 0, max: 100 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(jobs, (all) => {
        const { queue, time, add } = aQueue({ cpu: 4, memoryMiB: 100 });
        const wants = new Map<string, { cpu: number; memoryMiB: number }>();
        for (const [index, { tenant, cpu, memoryMiB, priority }] of all.entries()) {
          wants.set(`j${index}`, { cpu: Math.min(cpu, 4), memoryMiB: Math.min(memoryMiB, 100) });
          add(`j${index}`, cpu, { tenantId: `t${tenant}`, priority, memoryMiB });
        }
        const running: string[] = [];
        const done = new Set<string>();
        while (done.size < all.length) {
          running.push(...queue.take());
          const used = running.map((name) => wants.get(name) ?? { cpu: 0, memoryMiB: 0 });
          expect(used.reduce((sum, { cpu }) => sum + cpu, 0)).toBeLessThanOrEqual(4 + 1e-6);
          expect(used.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0)).toBeLessThanOrEqual(100);
          const over = running.shift();
          if (over === undefined) throw new Error('nothing runs and nothing starts');
          time.now += 1_000;
          queue.remove(over);
          done.add(over);
        }
      }),
      { numRuns: 60 },
    );
  });
});
