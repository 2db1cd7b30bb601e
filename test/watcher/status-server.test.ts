import { afterEach, describe, expect, it } from 'vitest';
import type { Transport } from '../../lib/kubernetes/transport.ts';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { serveStatus } from '../../watcher/status-server.ts';
import { Watcher } from '../../watcher/watcher.ts';
import { silentLog } from '../fixtures/silent-log.ts';

let close: () => Promise<void> = async () => undefined;

afterEach(() => close());

/** A watcher over a server that answers as `send` does; `ask` gives the status of a path of the status server. */
async function open(send: Transport['send']) {
  const virtual = new VirtualClock(0);
  const watcher = new Watcher({
    transport: {
      send,
      stream: () => Promise.reject(new Error('silent')),
      close: () => undefined,
    },
    publisher: { publish: async () => undefined },
    clock: virtual,
    random: () => 0.5,
    log: silentLog,
    identity: 'one',
    heartbeatMs: 60_000,
  });
  const server = await serveStatus(watcher, 0);
  const address = server.address();
  const stop = new AbortController();
  const run = watcher.run(stop.signal);
  close = async () => {
    stop.abort();
    await virtual.advance(1);
    await run;
    server.close();
  };
  const ask = async (path: string) =>
    (await fetch(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}${path}`)).status;
  return { virtual, ask };
}

const held = JSON.stringify({
  metadata: { resourceVersion: '1' },
  spec: { holderIdentity: 'another', leaseDurationSeconds: 1e6 },
});

describe('the status server', () => {
  it('health is lost after three minutes in which the API server said nothing', async () => {
    const { virtual, ask } = await open(() => Promise.reject(new Error('silent')));
    expect(await ask('/healthz')).toBe(200);
    await virtual.advance(181_000);
    expect([await ask('/healthz'), await ask('/metrics'), await ask('/')]).toEqual([503, 200, 404]);
  });

  it('a server that refuses the lease is no reason for a restart, but the replica is not ready', async () => {
    const { virtual, ask } = await open(async () => ({ status: 403, headers: {}, body: '{}' }));
    await virtual.advance(600_000);
    expect([await ask('/healthz'), await ask('/readyz')]).toEqual([200, 503]);
  });

  it('a replica is ready while it sees the lease in the hands of the other, and no longer when it does not', async () => {
    let reachable = true;
    const { virtual, ask } = await open(async () => ({
      status: reachable ? 200 : 503,
      headers: {},
      body: held,
    }));
    expect(await ask('/readyz')).toBe(200);
    await virtual.advance(60_000);
    expect(await ask('/readyz')).toBe(200);
    reachable = false;
    await virtual.advance(31_000);
    expect([await ask('/healthz'), await ask('/readyz')]).toEqual([200, 503]);
  });
});
