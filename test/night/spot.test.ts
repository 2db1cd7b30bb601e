import { afterEach, describe, expect, it } from 'vitest';
import { vacateInstance } from '../../lib/operations/attempts/vacate-instance.ts';
import { platformRetries } from '../../lib/training/attempts/capacity.ts';
import type { JobSpec } from '../../lib/training/attempts/job.ts';
import { silentLog } from '../fixtures/silent-log.ts';
import { type Night, openNight } from './harness.ts';

let night: Night;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
});

const trainings = (tenantId = 'acme') =>
  night.jobs.specs.filter((spec) => spec.stage === 'train' && spec.tenantId === tenantId);
const attemptsOf = async (runId = 'acme-manual') =>
  (await night.runtime.control.runs.listAttempts(runId)).filter((one) => one.stage === 'train');
const onTrain = (fate: (spec: JobSpec) => object) => (spec: JobSpec) =>
  spec.stage === 'train' ? fate(spec) : {};

/** Sends EC2's signal about an instance to the handler's operation, over this night's stores and jobs. */
const signal = async (kind: 'interruption' | 'rebalance', instanceId: string) => {
  const { control } = night.runtime;
  const ports = {
    runs: control.runs as Parameters<typeof vacateInstance>[0]['runs'],
    jobs: { local: night.jobs.runner(night.jobs.listener), batch: undefined, eks: undefined },
    clock: night.clock,
    log: silentLog,
  };
  return vacateInstance(ports, { signal: kind, instanceId });
};

describe('a stage that is preempted', () => {
  it.each([0, 1, 2, 5, platformRetries])(
    'F17: %i times still ends, on-demand after the second, with all retries for failures left',
    async (times) => {
      night = await openNight();
      await night.add('acme');
      night.jobs.fate = onTrain(({ attempt }) =>
        attempt <= times
          ? { exitCode: 143, reason: 'preempted' }
          : attempt <= times + 2
            ? { exitCode: 1 }
            : {},
      );
      expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
      expect(trainings().map((spec) => spec.capacity)).toEqual(
        Array.from({ length: times + 3 }, (_, n) => (n < 2 || times < 2 ? 'spot' : 'on-demand')),
      );
    },
  );

  it('more often than the platform’s retries fails at its own state, and a redrive goes on there', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = onTrain(() => ({ exitCode: 143, reason: 'preempted' }));
    const arn = await night.train('acme');
    expect(await night.until(arn)).toMatchObject({ status: 'FAILED', error: 'JobPreempted' });
    expect(trainings()).toHaveLength(platformRetries + 1);
    night.jobs.fate = () => ({});
    await night.runtime.control.workflows.redrive(arn);
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(night.jobs.specs.filter((spec) => spec.stage === 'prepare')).toHaveLength(1);
  });

  it('F16: counts a node that vanishes without notice like a reclaim', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = onTrain(({ attempt }) => (attempt <= 2 ? { vanish: true } : {}));
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(trainings().map((spec) => spec.capacity)).toEqual(['spot', 'spot', 'on-demand']);
  });
});

describe('a stage whose capacity is missing', () => {
  it('F17: goes to on-demand at once when spot is not placed in time, and says why', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = onTrain(({ capacity }) => (capacity === 'spot' ? { pendingSeconds: Infinity } : {}));
    const began = night.clock.now();
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(await attemptsOf()).toMatchObject([
      { capacity: 'spot', capacityBecause: 'spot-first', status: 'preempted', reason: 'unplaceable' },
      { capacity: 'on-demand', capacityBecause: 'spot-unplaceable', status: 'succeeded' },
    ]);
    expect((night.clock.now() - began) / 60_000).toBeLessThan(18);
    expect(await night.runtime.metricsText()).toMatch(/placements_given_up_total\{.*spot.*\} 1/);
  });

  it('is left alone when capacity comes just in time', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = onTrain(() => ({ pendingSeconds: 890 }));
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(trainings()).toHaveLength(1);
    expect(await attemptsOf()).toMatchObject([{ startedAt: expect.any(String), status: 'succeeded' }]);
  });

  it('waits behind our own jobs for hours without that being a placement failure', async () => {
    night = await openNight();
    await night.add('acme', 'beta');
    const hours = 5;
    night.jobs.fate = onTrain(({ tenantId }) =>
      tenantId === 'beta' ? { seconds: hours * 3600 } : { pendingSeconds: hours * 3600 - 60 },
    );
    const busy = await night.train('beta');
    await night.advance(10_000);
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(trainings().map((spec) => [spec.attempt, spec.capacity])).toEqual([[1, 'spot']]);
    expect(await night.until(busy)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('F18: of both kinds waits a bounded time, tells people, and the tenant keeps the old model', async () => {
    night = await openNight();
    await night.add('acme');
    await night.until(await night.train('acme', 'good'));
    const live = await night.runtime.control.models.live('acme');
    night.jobs.fate = onTrain(() => ({ pendingSeconds: Infinity }));
    const began = night.clock.now();
    const end = await night.until(await night.train('acme', 'dry'));
    expect(end).toMatchObject({ status: 'FAILED', error: 'JobPreempted' });
    const capacities = (await attemptsOf('dry')).map((one) => one.capacity);
    expect(capacities.slice(0, 4)).toEqual(['spot', 'on-demand', 'spot', 'on-demand']);
    expect(capacities.slice(-2)).toEqual(['on-demand', 'on-demand']);
    expect((night.clock.now() - began) / 3_600_000).toBeLessThan(3.5);
    expect(await night.runtime.control.models.live('acme')).toEqual(live);
    expect(await night.runtime.metricsText()).toMatch(/placements_given_up_total\{.*on-demand.*\} [1-9]/);
  });

  it('of a tenant that forbids spot is only ever asked on-demand', async () => {
    night = await openNight();
    await night.add('acme');
    const { tenants } = night.runtime.ports;
    const acme = await tenants.get('acme');
    if (acme) await tenants.put({ ...acme, capacity: { spotAllowed: false }, version: 2 }, 1);
    night.jobs.fate = onTrain(({ attempt }) => (attempt === 1 ? { pendingSeconds: Infinity } : {}));
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(night.jobs.specs.every((spec) => spec.capacity === 'on-demand')).toBe(true);
  });
});

describe('an instance that goes', () => {
  it('F15: its job checkpoints and goes on elsewhere at once, without waiting for the node to die', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = onTrain(({ attempt }) => (attempt === 1 ? { never: true } : {}));
    night.jobs.onSubmit = ({ jobName }) => void night.jobs.instances.set(jobName, `i-${jobName}`);
    const arn = await night.train('acme');
    await night.advance(30_000);
    const [first] = trainings();
    const instance = `i-${first?.jobName}`;
    expect(await signal('interruption', 'i-somebody-elses')).toMatchObject({ found: 0 });
    expect(await signal('interruption', instance)).toMatchObject({ found: 1, vacated: 1 });
    expect(await signal('interruption', instance)).toMatchObject({ vacated: 0 });
    const told = night.clock.now();
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect((night.clock.now() - told) / 1000).toBeLessThan(30);
    expect(await attemptsOf()).toMatchObject([
      { status: 'preempted', reason: 'preempted', cause: expect.stringContaining(instance) },
      { status: 'succeeded' },
    ]);
  });

  it('hints move a stage at most once, so hints alone never bring it to on-demand', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = onTrain(() => ({ seconds: 600 }));
    night.jobs.onSubmit = ({ jobName }) => void night.jobs.instances.set(jobName, 'i-same');
    const arn = await night.train('acme');
    for (let hints = 0; hints < 8; hints += 1) {
      await night.advance(20_000);
      await signal('rebalance', 'i-same');
    }
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(trainings().map((spec) => spec.capacity)).toEqual(['spot', 'spot']);
  });
});

describe('a night', () => {
  const inputOfMap = async (arn: string) => {
    const events = await Array.fromAsync(night.runtime.control.workflows.history(arn));
    return JSON.stringify(events);
  };

  it('runs as many tenants at a time as the setting and capacity allow', async () => {
    night = await openNight({ variables: { EPSILON_TRAINING_MAX_CONCURRENCY: '2' } });
    await night.add('aa', 'bb', 'cc', 'dd', 'ee');
    let most = 0;
    night.jobs.fate = () => ({ seconds: 60 });
    night.jobs.onSubmit = () => {
      most = Math.max(most, night.jobs.live().length);
    };
    const arn = await night.fire();
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await inputOfMap(arn)).toContain('\\"maxConcurrency\\":2');
    // Deploy and cache of one tenant run side by side.
    expect(most).toBeGreaterThanOrEqual(2);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('F27: a tenant that fails night after night goes last and hangs at nobody’s expense; one success and it is back', async () => {
    night = await openNight({ variables: { EPSILON_TRAINING_MAX_CONCURRENCY: '1' } });
    await night.add('a-poison', 'bb', 'cc');
    night.jobs.fate = ({ tenantId }) => (tenantId === 'a-poison' ? { exitCode: 65 } : {});
    const orders: string[][] = [];
    for (const day of [24, 25, 26, 27, 28]) {
      const before = night.jobs.specs.length;
      if (day === 27) night.jobs.fate = () => ({});
      await night.until(await night.fire(`2026-11-${day}T02:00:00.000Z`));
      orders.push([...new Set(night.jobs.specs.slice(before).map((spec) => spec.tenantId))]);
    }
    const [usual, last] = [
      ['a-poison', 'bb', 'cc'],
      ['bb', 'cc', 'a-poison'],
    ];
    expect(orders).toEqual([usual, usual, usual, last, usual]);
  });
});
