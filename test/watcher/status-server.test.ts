import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { serveStatus } from '../../watcher/status-server.ts';
import { Watcher } from '../../watcher/watcher.ts';
import { silentLog } from '../fixtures/silent-log.ts';

describe('the status server', () => {
  it('health is lost after three minutes in which the API server said nothing', async () => {
    const virtual = new VirtualClock(0);
    const silent = {
      send: () => Promise.reject(new Error('silent')),
      stream: () => Promise.reject(new Error('silent')),
    };
    const watcher = new Watcher({
      transport: { ...silent, close: () => undefined },
      publisher: { publish: async () => undefined },
      clock: virtual,
      random: () => 0.5,
      log: silentLog,
      identity: 'deaf',
      heartbeatMs: 60_000,
    });
    const server = await serveStatus(watcher, 0);
    const address = server.address();
    const ask = async (path: string) =>
      (await fetch(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}${path}`)).status;
    const stop = new AbortController();
    const run = watcher.run(stop.signal);
    expect(await ask('/healthz')).toBe(200);
    await virtual.advance(181_000);
    expect([await ask('/healthz'), await ask('/metrics'), await ask('/')]).toEqual([503, 200, 404]);
    stop.abort();
    await run;
    server.close();
  });
});
