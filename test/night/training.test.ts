import { afterEach, describe, expect, it } from 'vitest';
import { type Night, openNight } from './harness.ts';

let night: Night;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
});

const stagesOf = (n: Night, tenantId: string) =>
  n.jobs.specs.filter((spec) => spec.tenantId === tenantId).map((spec) => `${spec.stage}-${spec.attempt}`);

describe('one tenant', () => {
  it('enters nine states, runs each stage once and is promoted with model and index together', async () => {
    night = await openNight();
    await night.add('acme');
    const arn = await night.train('acme');
    const done = await night.until(arn);
    expect(done).toMatchObject({
      status: 'SUCCEEDED',
      output: { outcome: 'succeeded', tenantId: 'acme', vectors: 12 },
    });
    expect(await night.states(arn)).toEqual([
      'BeginRun',
      'PrepareTrainingData',
      'TrainModel',
      'BuildFaissIndex',
      'DeployAndCache',
      'DeployModel',
      'UpdateRedisCache',
      'PromoteModel',
      'FinishRun',
    ]);
    expect(stagesOf(night, 'acme')).toEqual(['prepare-1', 'train-1', 'index-1', 'deploy-1', 'cache-1']);
    const { control } = night.runtime;
    const live = await control.models.live('acme');
    expect(live).toMatchObject({
      modelUri: expect.stringContaining('/train/1/model.bin'),
      indexUri: expect.stringContaining('/index/1/index.faiss'),
      reason: 'run',
    });
    expect(await control.runs.getRun('acme-manual')).toMatchObject({
      status: 'succeeded',
      trigger: 'manual',
      logicalDate: '2026-11-24',
    });
    expect(await night.runtime.ports.leases.get('acme')).toBeUndefined();
  });

  it("gives every job the specification's arguments and resources, and no secret", async () => {
    night = await openNight();
    await night.add('acme');
    await night.until(await night.train('acme'));
    const of = (stage: string) => night.jobs.specs.find((spec) => spec.stage === stage);
    expect(of('prepare')).toMatchObject({
      arguments: ['--tenant-id', 'acme', '--output', expect.stringMatching(/^s3:.*\/prepare\/1\/$/)],
      resources: { cpu: 1, memoryMiB: 2048 },
    });
    expect(of('train')).toMatchObject({
      arguments: ['--tenant-id', 'acme', '--model-type', 'skipgram', '--epochs', '10'],
      resources: { cpu: 4, memoryMiB: 8192 },
    });
    expect(of('index')).toMatchObject({
      arguments: ['--tenant-id', 'acme', '--build-index'],
      resources: { cpu: 2, memoryMiB: 4096 },
    });
    expect(of('deploy')).toMatchObject({
      arguments: ['--tenant-id', 'acme', '--model-path', expect.stringMatching(/model\.bin$/)],
      resources: { cpu: 0.5, memoryMiB: 512 },
    });
    expect(of('cache')).toMatchObject({ arguments: ['--tenant-id', 'acme', '--refresh-cache'] });
    for (const spec of night.jobs.specs) {
      expect(JSON.stringify(spec)).not.toMatch(/token/i);
      expect(spec.image).toMatch(/^[a-z-]+@sha256:[0-9a-f]{64}$/);
      expect(spec.environment['EPSILON_TRACEPARENT']).toContain(spec.traceId);
    }
    expect(new Set(night.jobs.specs.map((spec) => spec.traceId)).size).toBe(1);
  });

  it('a failing job is tried three times, five minutes apart, and spends no on-demand capacity', async () => {
    night = await openNight();
    await night.add('acme');
    const times: number[] = [];
    night.jobs.fate = ({ stage }) => (stage === 'train' ? { exitCode: 1 } : {});
    night.jobs.onSubmit = ({ stage }) => void (stage === 'train' && times.push(night.clock.now()));
    const done = await night.until(await night.train('acme'));
    expect(done).toMatchObject({ status: 'FAILED', error: 'JobFailed' });
    expect(times.map((time) => Math.round((time - (times[0] ?? 0)) / 1000))).toEqual([0, 301, 602]);
    expect(night.jobs.specs.every((spec) => spec.capacity === 'spot')).toBe(true);
    const { control } = night.runtime;
    expect(await control.runs.getRun('acme-manual')).toMatchObject({ status: 'failed', error: 'JobFailed' });
    expect(await night.runtime.ports.leases.get('acme')).toBeUndefined();
    expect(await control.models.live('acme')).toBeUndefined();
  });

  it('a job that says its input is wrong is not tried again', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = () => ({ exitCode: 65, message: 'too few documents' });
    const done = await night.until(await night.train('acme'));
    expect(done).toMatchObject({ status: 'FAILED', error: 'JobRejected', cause: 'too few documents' });
    expect(night.jobs.specs).toHaveLength(1);
  });

  it('preemption is tried again at once, goes to on-demand after two, and spends nothing of the retries for failures', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = ({ stage, attempt }) =>
      stage !== 'train'
        ? {}
        : attempt <= 3
          ? { exitCode: 143, reason: 'preempted' }
          : attempt <= 5
            ? { exitCode: 1 }
            : {};
    const done = await night.until(await night.train('acme'));
    expect(done.status).toBe('SUCCEEDED');
    expect(night.jobs.specs.filter((spec) => spec.stage === 'train').map((spec) => spec.capacity)).toEqual([
      'spot',
      'spot',
      'on-demand',
      'on-demand',
      'on-demand',
      'on-demand',
    ]);
  });

  it('a tenant that is being trained is busy for another run, which waits and then gives up without failing', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = ({ runId }) => (runId === 'first' ? { seconds: 9 * 3600 } : {});
    const first = await night.train('acme', 'first');
    await night.settle();
    const second = await night.train('acme', 'second');
    expect(await night.until(second)).toMatchObject({
      status: 'SUCCEEDED',
      output: { outcome: 'busy', tenantId: 'acme' },
    });
    expect(night.jobs.specs.every((spec) => spec.runId === 'first')).toBe(true);
    expect(await night.runtime.control.runs.getRun('second')).toMatchObject({ status: 'busy' });
    await night.until(first);
  });

  it('a closed quality gate skips the run, on purpose', async () => {
    night = await openNight({ variables: { EPSILON_QUALITY_GATE: 'required' } });
    await night.add('acme');
    expect(await night.until(await night.train('acme'))).toMatchObject({
      status: 'SUCCEEDED',
      output: { outcome: 'skipped', reason: expect.stringContaining('there is no data to judge') },
    });
    expect(night.jobs.specs).toEqual([]);
    expect(await night.runtime.ports.leases.get('acme')).toBeUndefined();
  });

  it.each([
    ['unknown', 'nobody', 'NotFound'],
    ['suspended', 'acme', 'TENANT_SUSPENDED'],
    ['badly named', '../x', 'TENANT_ID_INVALID'],
  ])('that is %s fails before anything begins', async (_, tenantId, error) => {
    night = await openNight();
    await night.add('acme');
    const { tenants } = night.runtime.ports;
    const acme = await tenants.get('acme');
    if (acme) await tenants.put({ ...acme, status: 'suspended' }, acme.version);
    expect(await night.until(await night.train(tenantId, 'x'))).toMatchObject({ status: 'FAILED', error });
    expect(night.jobs.specs).toEqual([]);
  });
});

describe('faults', () => {
  it('F4: a completion that nobody was told of is found by the reconciler', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = () => ({ silent: true });
    const arn = await night.train('acme');
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(night.jobs.specs).toHaveLength(5);
    expect(night.clock.now() - Date.parse('2026-11-24T01:59:00Z')).toBeLessThan(8 * 60_000);
  });

  it('F5, F6, F7: repeated, late and unknown events change nothing', async () => {
    night = await openNight();
    await night.add('acme');
    const arn = await night.train('acme');
    await night.until(arn);
    const runsBefore = await night.runtime.control.runs.listAttempts('acme-manual');
    for (const spec of night.jobs.specs) {
      const seen = night.jobs.observations.get(spec.jobName);
      if (!seen) continue;
      night.jobs.listener(seen, spec);
      night.jobs.listener({ ...seen, state: 'running' }, spec);
      night.jobs.listener({ ...seen, jobName: 'unknown' }, { ...spec, runId: 'unknown', jobName: 'unknown' });
    }
    await night.settle();
    expect(await night.runtime.control.runs.listAttempts('acme-manual')).toEqual(runsBefore);
    expect(await night.runtime.metricsText()).toMatch(/job_events_repeated_total [1-9]/);
    expect(await night.runtime.metricsText()).toMatch(/job_events_unknown_total [1-9]/);
  });

  it('F12: a job that vanishes is lost and tried again without spending the user’s retries', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = ({ stage, attempt }) => (stage === 'train' && attempt === 1 ? { vanish: true } : {});
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    const attempts = await night.runtime.control.runs.listAttempts('acme-manual');
    expect(attempts.filter((one) => one.stage === 'train').map((one) => one.status)).toEqual([
      'lost',
      'succeeded',
    ]);
  });

  it('F8, F9, F10: a submission that dies before or after the backend took it ends in one job', async () => {
    night = await openNight();
    await night.add('acme');
    let crashes = 2;
    night.jobs.onSubmit = () => {
      crashes -= 1;
      if (crashes >= 0) throw Object.assign(new Error('the answer never came'), { name: 'Lambda.Unknown' });
    };
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(stagesOf(night, 'acme')).toEqual(['prepare-1', 'train-1', 'index-1', 'deploy-1', 'cache-1']);
  });

  it('F22: a stage whose heartbeat stays away is entered again and adopts the job that runs', async () => {
    night = await openNight({ schedules: false });
    await night.add('acme');
    night.jobs.fate = ({ stage }) => (stage === 'train' ? { seconds: 2000 } : {});
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(stagesOf(night, 'acme').filter((name) => name.startsWith('train'))).toEqual(['train-1']);
  });

  it('F23: stopping the execution cancels its job, gives the lease back and records the end', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = () => ({ never: true });
    const arn = await night.train('acme');
    await night.settle();
    expect(night.jobs.live()).toEqual(['acme-manual-prepare-1']);
    await night.runtime.control.workflows.stop(arn, { error: 'Stopped', cause: 'by hand' });
    await night.settle();
    expect(night.jobs.live()).toEqual([]);
    expect(await night.runtime.control.runs.getRun('acme-manual')).toMatchObject({ status: 'aborted' });
    expect(await night.runtime.ports.leases.get('acme')).toBeUndefined();
  });

  it('F24: a redrive continues at the failed stage under a larger fence', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = ({ stage }) => (stage === 'index' ? { exitCode: 64 } : {});
    const arn = await night.train('acme');
    expect((await night.until(arn)).status).toBe('FAILED');
    const before = await night.runtime.control.runs.getRun('acme-manual');
    expect(before).toMatchObject({ error: 'JobRejected', cause: expect.any(String) });
    night.jobs.fate = () => ({});
    await night.runtime.control.workflows.redrive(arn);
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(stagesOf(night, 'acme')).toEqual([
      'prepare-1',
      'train-1',
      'index-1',
      'index-2',
      'deploy-1',
      'cache-1',
    ]);
    const after = await night.runtime.control.runs.getRun('acme-manual');
    expect(after?.fence).toBeGreaterThan(before?.fence ?? 0);
    expect(after).toMatchObject({ status: 'succeeded', redriveCount: 1 });
    expect(after).not.toHaveProperty('error');
    expect(after).not.toHaveProperty('cause');
  });

  it.each([0, 1, 50, 400, 2_000])(
    'F24: a run that is stopped %s ms after it began goes on when it is redriven',
    async (ms) => {
      night = await openNight();
      await night.add('acme');
      const arn = await night.train('acme');
      if (ms > 0) await night.advance(ms);
      const { workflows, runs } = night.runtime.control;
      await workflows.stop(arn, { error: 'OperatorStop', cause: 'too early' });
      expect((await night.until(arn)).status).toBe('ABORTED');
      await workflows.redrive(arn);
      expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED', redriveCount: 1 });
      expect(await runs.getRun('acme-manual')).toMatchObject({ status: 'succeeded', redriveCount: 1 });
    },
  );

  it('F44: a control plane that restarts while jobs run takes them over; no stage has two jobs', async () => {
    night = await openNight();
    await night.add('acme', 'beta');
    const arns = [await night.train('acme'), await night.train('beta')];
    for (let restarts = 0; restarts < 12; restarts += 1) {
      await night.advance(400);
      await night.restart();
    }
    for (const arn of arns) expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(night.jobs.specs).toHaveLength(10);
  });
});

describe('a night', () => {
  it('F1, F3: two deliveries of one scheduled time are one night', async () => {
    night = await openNight();
    await night.add('acme');
    const arn = await night.fire();
    await night.fire();
    const other = await night.runtime.control.workflows.start({
      machine: 'nightly-training',
      name: 'second',
      input: { scheduledTime: '2026-11-24T02:00:00Z' },
    });
    expect(await night.until(arn)).toMatchObject({
      status: 'SUCCEEDED',
      output: { succeeded: 1, failed: 0, rate: 1 },
    });
    expect(await night.until(other.executionArn)).toMatchObject({
      status: 'SUCCEEDED',
      output: { outcome: 'duplicate' },
    });
    expect(night.jobs.specs).toHaveLength(5);
  });

  it('starts by itself when its time comes', async () => {
    night = await openNight();
    await night.add('acme');
    await night.advance(5 * 60_000);
    const [newest] = await night.runtime.control.workflows.list({ machine: 'nightly-training', limit: 1 });
    expect(newest).toMatchObject({ status: 'SUCCEEDED', name: 'nightly-training-202611240200' });
  });

  it('F27: one bad tenant stops nobody; the night says who failed; a redrive finishes only what is missing', async () => {
    night = await openNight();
    await night.add('acme', 'beta', 'poison');
    night.jobs.fate = ({ tenantId }) => (tenantId === 'poison' ? { exitCode: 65 } : {});
    const arn = await night.fire();
    expect(await night.until(arn)).toMatchObject({
      status: 'FAILED',
      error: 'NightBelowTarget',
      cause: expect.stringContaining('failed: poison'),
    });
    expect(stagesOf(night, 'acme')).toHaveLength(5);
    const before = night.jobs.specs.length;
    night.jobs.fate = () => ({});
    await night.runtime.control.workflows.redrive(arn);
    expect(await night.until(arn)).toMatchObject({
      status: 'SUCCEEDED',
      output: { succeeded: 3, failed: 0 },
    });
    expect(new Set(night.jobs.specs.slice(before).map((spec) => spec.tenantId))).toEqual(new Set(['poison']));
  });

  it('a redrive that mends nothing fails again instead of going round for ever', async () => {
    night = await openNight();
    await night.add('poison');
    night.jobs.fate = () => ({ exitCode: 65 });
    const arn = await night.fire();
    await night.until(arn);
    await night.runtime.control.workflows.redrive(arn);
    expect(await night.until(arn)).toMatchObject({
      status: 'FAILED',
      error: 'NightBelowTarget',
      redriveCount: 1,
    });
    expect(night.jobs.specs).toHaveLength(2);
  });

  it('with nothing due succeeds without a rate', async () => {
    night = await openNight();
    expect(await night.until(await night.fire())).toMatchObject({
      status: 'SUCCEEDED',
      output: { rate: null, succeeded: 0 },
    });
  });

  it("an operator's night runs again what the schedule's did, without colliding with its names", async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = () => ({ exitCode: 65 });
    await night.until(await night.fire());
    night.jobs.fate = () => ({});
    const { executionArn } = await night.runtime.control.workflows.start({
      machine: 'nightly-training',
      name: 'again',
      input: { trigger: 'manual', logicalDate: '2026-11-24' },
    });
    expect(await night.until(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: { succeeded: 1 } });
  });

  it('one trace id goes from the night to every job of it', async () => {
    night = await openNight();
    await night.add('acme', 'beta');
    await night.until(await night.fire());
    expect(new Set(night.jobs.specs.map((spec) => spec.traceId)).size).toBe(1);
  });
});
