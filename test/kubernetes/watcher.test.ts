import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cluster, eventually, openCluster, specOf } from './harness.ts';
import type { Does } from './kubelet.ts';
import { ScaledClock } from './scaled-clock.ts';
import { makeLease, type Replica, startReplica, TestBus } from './watching.ts';

let cluster: Cluster;
let bus: TestBus;
let clock: ScaledClock;
let replicas: Replica[];

beforeEach(async () => {
  clock = new ScaledClock(20);
  cluster = await openCluster({ clock });
  makeLease(cluster.server);
  bus = new TestBus();
  replicas = [];
});

afterEach(async () => {
  cluster.server.fault = () => undefined;
  await Promise.all(replicas.map((replica) => replica.stop()));
  await cluster.close();
});

function start(identity = 'watcher-1'): Replica {
  const replica = startReplica(cluster.server, { bus, clock, identity });
  replicas.push(replica);
  return replica;
}

const submit = (does: Does, name: string) => cluster.runner.submit(specOf(does, name));
const ended = (name: string) => eventually(() => bus.ends(name)[0], `the end of ${name} is told`);
const watching = () =>
  eventually(() => (cluster.server.watches.count >= 3 ? true : undefined), 'two watches');
const sent = (what: string) => cluster.server.requests.filter((request) => request.includes(what)).length;

describe('a message of the watcher', () => {
  it('is the end of each job once, with reason, exit code and result, under the run it belongs to', async () => {
    start();
    await Promise.all([submit('succeeds', 'good-1'), submit('fails', 'bad-1'), submit('rejects', 'wrong-1')]);
    expect(await ended('good-1')).toMatchObject({
      state: 'succeeded',
      reason: 'completed',
      exitCode: 0,
      result: { answer: 42 },
      capacity: 'spot',
      stage: 'train',
      attempt: 1,
    });
    expect(await ended('bad-1')).toMatchObject({ reason: 'error', exitCode: 1 });
    expect(await ended('wrong-1')).toMatchObject({ reason: 'error', exitCode: 65 });
    const event = bus.events.find(
      ({ detail }) => (detail['data'] as { jobName: string }).jobName === 'good-1',
    );
    expect(event).toMatchObject({
      source: 'epsilon.jobs',
      detailType: 'Job State Change',
      detail: {
        schemaVersion: 1,
        tenantId: 'acme',
        runId: 'acme-2026-11-24',
        logicalDate: '2026-11-24',
        traceId: '0af7651916cd43dd8448eb211c80319c',
      },
    });
    for (const name of ['good-1', 'bad-1', 'wrong-1']) expect(bus.ends(name)).toHaveLength(1);
  });

  it('is that a job runs, at once, and then in every heartbeat period that it is alive', async () => {
    start();
    await submit('waits', 'long-1');
    await eventually(() => bus.data().find(({ state }) => state === 'running'), 'running is told');
    await eventually(() => (bus.data().length >= 3 ? true : undefined), 'two signs of life');
    expect(bus.ends('long-1')).toEqual([]);
  });

  it('is why a job that is not placed waits, and that it was given up as unplaceable', async () => {
    start();
    const ref = await submit('unplaceable', 'nowhere-1');
    await eventually(
      () =>
        bus
          .data()
          .find(({ state, message }) => state === 'pending' && String(message).includes('Insufficient cpu')),
      'the reason',
    );
    await cluster.runner.cancel(ref, 'unplaceable: no spot capacity');
    expect(await ended('nowhere-1')).toMatchObject({ reason: 'unplaceable' });
  });

  it('is that a pod was evicted, as preempted; and that a job was cancelled, with the reason', async () => {
    start();
    const ref = await submit('waits', 'gone-1');
    await submit('waits', 'evicted-1');
    await cluster.observed('evicted-1', ({ state }) => state === 'running');
    const pod = cluster.server.store
      .list('pods')
      .find(({ metadata }) => metadata.name.startsWith('evicted-1'));
    await replicas[0]?.transport.send({
      method: 'POST',
      path: `/api/v1/namespaces/ml-jobs/pods/${pod?.metadata.name}/eviction`,
      body: '{}',
    });
    expect(await ended('evicted-1')).toMatchObject({ reason: 'preempted' });
    await cluster.runner.cancel(ref, 'the execution ended');
    expect(await ended('gone-1')).toMatchObject({ reason: 'cancelled', message: 'the execution ended' });
  });

  it('F12: is that a job which somebody deleted is lost', async () => {
    start();
    await submit('waits', 'deleted-1');
    await watching();
    cluster.server.store.remove('jobs', 'deleted-1');
    expect(await ended('deleted-1')).toMatchObject({ state: 'failed', reason: 'lost' });
  });
});

describe('the watcher in trouble', () => {
  it('a watch that ends, or is cut in the middle of a line, is taken up where it stood: nothing listed, nothing told twice', async () => {
    start();
    await submit('succeeds', 'first-1');
    await ended('first-1');
    await watching();
    const lists = sent('limit=200');
    for (const how of ['end', 'cut'] as const) {
      cluster.server.watches.close(how);
      await submit('succeeds', `after-${how}-1`);
      await ended(`after-${how}-1`);
    }
    expect(sent('limit=200')).toBe(lists);
    for (const name of ['first-1', 'after-end-1', 'after-cut-1']) expect(bus.ends(name)).toHaveLength(1);
  });

  it('410 Gone: everything is listed again; what ended meanwhile is told, what was deleted is lost, nothing twice', async () => {
    start();
    await submit('succeeds', 'before-1');
    await ended('before-1');
    await submit('waits', 'deleted-1');
    await eventually(() => bus.data().find(({ jobName }) => jobName === 'deleted-1'), 'seen');
    cluster.server.fault = ({ query }) =>
      query.get('watch') === 'true' && query.get('allowWatchBookmarks') === 'true'
        ? { status: 503 }
        : undefined;
    cluster.server.watches.close('end');
    await submit('succeeds', 'meanwhile-1');
    await cluster.ended('meanwhile-1');
    cluster.server.store.remove('jobs', 'deleted-1');
    cluster.server.store.compact();
    cluster.server.fault = () => undefined;
    expect(await ended('meanwhile-1')).toMatchObject({ state: 'succeeded', result: { answer: 42 } });
    expect(await ended('deleted-1')).toMatchObject({ reason: 'lost' });
    for (const name of ['before-1', 'meanwhile-1', 'deleted-1']) expect(bus.ends(name)).toHaveLength(1);
  });

  it('a bookmark keeps a quiet watch from expiring', async () => {
    start();
    await watching();
    // Changes of others raise the version; ours hears of them by bookmark only.
    cluster.server.store.create('nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } });
    cluster.server.watches.bookmark();
    const lists = sent('limit=200');
    await new Promise((resolve) => setImmediate(resolve));
    cluster.server.store.compact();
    cluster.server.watches.close('end');
    await submit('succeeds', 'later-1');
    await ended('later-1');
    expect(sent('limit=200')).toBe(lists);
  });

  it('F19: 429 with Retry-After, 500 and refused watches are waited out', async () => {
    let refused = 0;
    cluster.server.fault = ({ query }) => {
      if (query.get('labelSelector') === null || query.get('limit') === null || refused >= 4)
        return undefined;
      refused += 1;
      return refused % 2 === 0 ? { status: 500 } : { status: 429, headers: { 'retry-after': '1' } };
    };
    start();
    await submit('succeeds', 'patient-1');
    expect(await ended('patient-1')).toMatchObject({ state: 'succeeded' });
    expect(refused).toBe(4);
  });

  it('F49: a bus that refuses for a while loses no end of a job', async () => {
    const { watcher } = start();
    bus.refuse = true;
    await submit('succeeds', 'held-1');
    await eventually(
      () => (watcher.figures.value('epsilon_watcher_publish_failures_total') >= 2 ? true : undefined),
      'two refusals',
    );
    bus.refuse = false;
    expect(await ended('held-1')).toMatchObject({ state: 'succeeded' });
    expect(bus.ends('held-1')).toHaveLength(1);
  });
});

describe('two replicas', () => {
  const leading = (replica: Replica) => replica.watcher.figures.value('epsilon_watcher_leading') === 1;

  it('only one of them watches; when it is told to stop the other takes over at once', async () => {
    const first = start('one');
    await eventually(() => leading(first) || undefined, 'the first leads');
    const second = start('two');
    await submit('succeeds', 'shared-1');
    await ended('shared-1');
    expect(leading(second)).toBe(false);
    expect(bus.ends('shared-1')).toHaveLength(1);
    await first.stop();
    replicas.shift();
    expect(cluster.server.store.get('leases', 'job-watcher').spec?.['holderIdentity']).not.toBe('one');
    await submit('succeeds', 'handed-1');
    expect(await ended('handed-1')).toMatchObject({ state: 'succeeded' });
    expect(leading(second)).toBe(true);
  });

  it('a replica that dies is followed when its lease has run out; what ended in between is told', async () => {
    cluster.server.store.update('leases', {
      ...cluster.server.store.get('leases', 'job-watcher'),
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, leaseTransitions: 3 },
    });
    const second = start('two');
    await submit('succeeds', 'between-1');
    await cluster.ended('between-1');
    expect(leading(second)).toBe(false);
    expect(await ended('between-1')).toMatchObject({ state: 'succeeded' });
    expect(cluster.server.store.get('leases', 'job-watcher').spec).toMatchObject({
      holderIdentity: 'two',
      leaseTransitions: 4,
    });
  });

  it('a leader that cannot renew stops by itself', async () => {
    const first = start('one');
    await eventually(() => leading(first) || undefined, 'the first leads');
    cluster.server.fault = ({ path }) => (path.includes('/leases/') ? { status: 503 } : undefined);
    await eventually(() => (leading(first) ? undefined : true), 'it stops leading');
    cluster.server.fault = () => undefined;
    await eventually(() => leading(first) || undefined, 'it leads again');
  });

  it('after a restart recent ends are told again, old ones are not', async () => {
    const first = start();
    await submit('succeeds', 'recent-1');
    await submit('succeeds', 'old-1');
    await Promise.all([ended('recent-1'), ended('old-1')]);
    await first.stop();
    replicas.shift();
    const old = cluster.server.store.get('jobs', 'old-1');
    const long = '2020-01-01T00:00:00Z';
    cluster.server.store.update('jobs', { ...old, status: { ...old.status, completionTime: long } });
    start();
    await eventually(() => (bus.ends('recent-1').length === 2 ? true : undefined), 'told again');
    await submit('succeeds', 'new-1');
    await ended('new-1');
    expect(bus.ends('old-1')).toHaveLength(1);
  });
});

describe('the endpoints', () => {
  it('metrics tell jobs, events and memory', async () => {
    const { watcher } = start();
    await submit('waits', 'long-1');
    await eventually(() => bus.data()[0], 'running is told');
    expect(watcher.healthy).toBe(true);
    const text = watcher.metrics();
    expect(text).toContain('epsilon_watcher_leading 1');
    expect(text).toContain('epsilon_watcher_jobs{state="running"} 1');
    expect(text).toMatch(/epsilon_watcher_memory_bytes \d+/);
  });
});
