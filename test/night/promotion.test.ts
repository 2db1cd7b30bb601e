import { afterEach, describe, expect, it } from 'vitest';
import type { EventPublisher, OutgoingEvent } from '../../lib/ports/event-publisher.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { RuntimeOptions } from '../../local/runtime.ts';
import { openMemoryStores } from '../dynamodb/memory-stores.ts';
import { type Night, openNight } from './harness.ts';

const bucket = 's3://embeddings-saas-data';

let night: Night;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
});

/** What the bus was given of promotions, and a way to make it refuse. */
interface Bus {
  readonly promoted: OutgoingEvent[];
  refuse: boolean;
}

/** Watches the events that handlers and operators publish. */
function watchBus(): Bus {
  const bus: Bus = { promoted: [], refuse: false };
  const { events } = night.runtime.ports;
  const publish = events.publish.bind(events);
  const watched: EventPublisher['publish'] = async (sent) => {
    const promotions = sent.filter(({ detailType }) => detailType === 'Model Promoted');
    if (bus.refuse && promotions.length > 0) throw new Error('the bus takes nothing');
    bus.promoted.push(...promotions);
    await publish(sent);
  };
  Object.assign(events, { publish: watched });
  return bus;
}

/** Trains a tenant so many times; the model versions, oldest first. */
async function trained(times: number): Promise<string[]> {
  await night.add('acme');
  for (let run = 1; run <= times; run += 1)
    expect(await night.until(await night.train('acme', `run-${run}`))).toMatchObject({ status: 'SUCCEEDED' });
  const models = await night.runtime.control.models.list('acme');
  return models.map(({ modelVersion }) => modelVersion).sort();
}

async function text(uri: string): Promise<string> {
  return Buffer.from(await night.runtime.control.objects.get(uri)).toString('utf8');
}

/** The model that each fixed name holds; the scripted jobs write their own prefix into what they make. */
async function fixedNames(): Promise<{ record: unknown; runs: (string | undefined)[] }> {
  const names = ['model.bin', 'index.faiss', 'training_data/manifest.json'];
  const texts = await Promise.all(names.map((name) => text(`${bucket}/acme/${name}`)));
  const { modelVersion } = JSON.parse(await text(`${bucket}/acme/model.json`)) as { modelVersion: string };
  return { record: modelVersion, runs: texts.map((one) => /\/runs\/([^/]+)\//.exec(one)?.[1]) };
}

const namesOf = (modelVersion: string | undefined, run: string) => ({
  record: modelVersion,
  runs: [run, run, run],
});

const over: Readonly<Record<string, RuntimeOptions['makeStores']>> = {
  SQLite: undefined,
  DynamoDB: (own, clock) => ({ ...own, ...openMemoryStores({ clock }).another(), close: () => own.close() }),
};

describe.each(['SQLite', 'DynamoDB'])('the fixed names, with the stores in %s', (kind) => {
  const open = async () => {
    const makeStores = over[kind];
    night = await openNight({ schedules: true, ...(makeStores ? { makeStores } : {}) });
    return watchBus();
  };

  it('follow a run, a rollback and a promotion by hand, each of which is announced once', async () => {
    const bus = await open();
    const [first, second] = await trained(2);
    expect(await fixedNames()).toEqual(namesOf(second, 'run-2'));
    const { models } = night.runtime.control;
    expect(await models.rollback({ tenantId: 'acme' })).toMatchObject({
      announced: true,
      live: { modelVersion: first, reason: 'rollback' },
    });
    await night.settle();
    expect(await fixedNames()).toEqual(namesOf(first, 'run-1'));
    await models.promote({ tenantId: 'acme', modelVersion: second ?? '' });
    await night.settle();
    expect(await fixedNames()).toEqual(namesOf(second, 'run-2'));
    await night.advance(3_600_000);
    expect(bus.promoted.map(({ detail }) => detail)).toMatchObject([
      {
        tenantId: 'acme',
        runId: 'run-1',
        data: { modelVersion: first, previousVersion: null, reason: 'run' },
      },
      { runId: 'run-2', data: { modelVersion: second, previousVersion: first, reason: 'run' } },
      { runId: 'run-1', data: { modelVersion: first, previousVersion: second, reason: 'rollback' } },
      { runId: 'run-2', data: { modelVersion: second, previousVersion: first, reason: 'manual' } },
    ]);
  });

  it('F57: are aligned by the reconciler when the bus takes no event, and neither run nor rollback fails', async () => {
    const bus = await open();
    const [first, second] = await trained(2);
    bus.refuse = true;
    expect(await night.runtime.control.models.rollback({ tenantId: 'acme' })).toMatchObject({
      announced: false,
      live: { modelVersion: first },
    });
    await night.advance(10 * 60_000);
    expect(await fixedNames()).toEqual(namesOf(second, 'run-2'));
    bus.refuse = false;
    await night.advance(2 * 60_000);
    expect(await fixedNames()).toEqual(namesOf(first, 'run-1'));
    bus.refuse = true;
    expect(await night.until(await night.train('acme', 'run-3'))).toMatchObject({ status: 'SUCCEEDED' });
    bus.refuse = false;
    await night.advance(5 * 60_000);
    expect((await fixedNames()).runs).toEqual(['run-3', 'run-3', 'run-3']);
    expect(await night.runtime.metricsText()).toMatch(/fixed_names_behind_total [1-9]/);
  });

  it('F57: end up with the model that is live when promotions race', async () => {
    await open();
    const versions = await trained(3);
    const { models } = night.runtime.control;
    const outcomes = await Promise.allSettled(
      [...versions, ...versions].map((modelVersion) => models.promote({ tenantId: 'acme', modelVersion })),
    );
    const refusals = outcomes.filter((one) => one.status === 'rejected');
    for (const { reason } of refusals) expect(reason).toMatchObject({ code: 'TENANT_BUSY', exitCode: 3 });
    expect(refusals.length).toBeLessThan(outcomes.length);
    await night.advance(5 * 60_000);
    const live = await models.live('acme');
    expect(live?.fixedNamesAt).toBeDefined();
    expect(await fixedNames()).toEqual(
      namesOf(live?.modelVersion, `run-${versions.indexOf(live?.modelVersion ?? '') + 1}`),
    );
  });
});

describe('an alignment cut off by the death of its process', () => {
  it('is done by the next process', async () => {
    night = await openNight();
    const bus = watchBus();
    const [first] = await trained(2);
    const { objects } = night.runtime.ports;
    const copy = objects.copy.bind(objects);
    Object.assign(objects, {
      copy: async (from: string, to: string) => {
        if (to.endsWith('index.faiss')) throw new Error('the disk went away');
        await copy(from, to);
      },
    });
    await night.runtime.control.models.rollback({ tenantId: 'acme' });
    await night.settle();
    expect((await fixedNames()).runs).toEqual(['run-1', 'run-2', 'run-2']);
    await night.restart();
    await night.advance(5 * 60_000);
    expect(await fixedNames()).toEqual(namesOf(first, 'run-1'));
    expect(bus.promoted).toHaveLength(3);
  });
});

describe('the audit log', () => {
  const listed = async (control: OperatorApi = night.runtime.control) =>
    control.audit.list({
      since: '2026-11-01T00:00:00.000Z',
      until: '2026-12-01T00:00:00.000Z',
      limit: 100,
    });

  it('tells of every act who did it, on what and how it ended, also in the next process', async () => {
    night = await openNight();
    const { tenants, models, workflows, schedules } = night.runtime.control;
    await trained(2);
    await schedules.fire('nightly-training', '2026-11-23T02:00:00Z');
    await schedules.pause('nightly-training');
    await schedules.resume('nightly-training');
    await night.advance(3_600_000);
    night.jobs.fate = () => ({ never: true });
    const { executionArn } = await workflows.start({
      machine: 'tenant-model-training',
      name: 'by-hand',
      input: { tenantId: 'acme' },
    });
    await night.advance(60_000);
    await workflows.stop(executionArn, { error: 'Stopped', cause: 'by the test' });
    await night.advance(60_000);
    night.jobs.fate = () => ({});
    await workflows.redrive(executionArn);
    expect(await night.until(executionArn)).toMatchObject({ status: 'SUCCEEDED' });
    await models.rollback({ tenantId: 'acme' });
    await tenants.update({ tenantId: 'acme', changes: { priority: 7 } });
    await tenants.suspend({ tenantId: 'acme' });
    await tenants.resume({ tenantId: 'acme' });
    await tenants.remove({ tenantId: 'acme' });
    const before = await listed();
    expect(before.map(({ act, subject, outcome }) => `${act} ${subject} ${outcome}`).reverse()).toEqual([
      'schedules.fire schedule nightly-training done',
      'schedules.pause schedule nightly-training done',
      'schedules.resume schedule nightly-training done',
      'executions.start execution tenant-model-training/by-hand done',
      'executions.stop execution tenant-model-training/by-hand done',
      'executions.redrive execution tenant-model-training/by-hand done',
      'models.rollback tenant acme done',
      'tenants.update tenant acme done',
      'tenants.suspend tenant acme done',
      'tenants.resume tenant acme done',
      'tenants.remove tenant acme done',
    ]);
    for (const { actor, via } of before) {
      expect(actor).toMatch(/^os:\S+$/);
      expect(via).toBe('process');
    }
    await night.restart();
    expect(await listed()).toEqual(before);
  });

  it('tells of refused acts with their code, and of unreadable ones', async () => {
    night = await openNight();
    const { tenants, models, workflows, schedules } = night.runtime.control;
    const refused = [
      () => tenants.suspend({ tenantId: 'nobody' }),
      () => tenants.add({ tenantId: 'X' } as never),
      () => models.rollback({ tenantId: 'acme' }),
      () => workflows.start({ machine: 'tenant-model-training', input: { tenantId: 'nobody' } }),
      () => schedules.fire('no-such', '2026-11-24T02:00:00Z'),
      () => models.promote({ tenantId: 'acme', modelVersion: 'v1', actor: 'os:root' } as never),
    ];
    for (const act of refused) await expect(act()).rejects.toMatchObject({ exitCode: 2 });
    expect((await listed()).map(({ act, outcome, error }) => [act, outcome, error]).reverse()).toEqual([
      ['tenants.suspend', 'refused', 'TENANT_NOT_FOUND'],
      ['tenants.add', 'refused', 'TENANT_ID_INVALID'],
      ['models.rollback', 'refused', 'TENANT_NOT_FOUND'],
      ['executions.start', 'refused', 'TENANT_NOT_FOUND'],
      ['schedules.fire', 'refused', 'SCHEDULE_NOT_FOUND'],
      ['models.promote', 'refused', 'INPUT_INVALID'],
    ]);
  });
});
