import { describe, expect, it } from 'vitest';
import type { Answer, Transport } from '../../lib/kubernetes/transport.ts';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { CollectionFollower } from '../../watcher/collection.ts';
import { Election } from '../../watcher/lease.ts';
import { openWatcherFigures } from '../../watcher/metrics.ts';
import { silentLog } from '../fixtures/silent-log.ts';

const answer = (body: object): Answer => ({ status: 200, headers: {}, body: JSON.stringify(body) });

/**
 * A server whose watches say what `lines` gives, stay open for `openMs`, and end. Its newest version is `version`, one less
 * after each list. It counts lists and watches.
 */
function server(
  clock: VirtualClock,
  { openMs, lines = [], version = 500 }: { openMs: number; lines?: string[]; version?: number },
) {
  const asked = { lists: 0, watches: [] as string[] };
  const state = { version };
  const transport: Transport = {
    send: async ({ path }) => {
      if (!path.includes('limit=1&') && !path.endsWith('limit=1')) {
        asked.lists += 1;
        state.version -= 1;
      }
      return answer({ metadata: { resourceVersion: String(state.version) }, items: [] });
    },
    stream: async (path, onLine, signal) => {
      asked.watches.push(new URLSearchParams(path.split('?')[1]).get('resourceVersion') ?? '');
      for (const line of lines) onLine(line);
      await new Promise<void>((resolve, reject) => {
        const timer = clock.setTimer(openMs, resolve);
        signal.addEventListener('abort', () => {
          timer.cancel();
          reject(new Error('aborted'));
        });
      });
    },
    close: () => undefined,
  };
  return { asked, state, transport };
}

function follow(clock: VirtualClock, transport: Transport) {
  const stop = new AbortController();
  const figures = openWatcherFigures();
  const follower = new CollectionFollower({
    collection: 'jobs',
    transport,
    clock,
    random: () => 0.5,
    log: silentLog,
    figures,
    listener: { seen: () => undefined, gone: () => undefined, listed: () => undefined },
    onContact: () => undefined,
  });
  const done = follower.follow(stop.signal);
  return {
    follower,
    figures,
    stop: async () => {
      stop.abort();
      await clock.advance(1);
      await done;
    },
  };
}

describe('a watch of a version that the server has not reached', () => {
  it('brings no line for a minute and more: everything is listed again, and watched from there', async () => {
    const clock = new VirtualClock(0);
    const { asked, transport } = server(clock, { openMs: 90_000 });
    const { figures, stop } = follow(clock, transport);
    await clock.advance(90_100);
    expect(asked).toEqual({ lists: 2, watches: ['499', '498'] });
    expect(figures.value('epsilon_watcher_breaks_total', { collection: 'jobs', kind: 'deaf' })).toBe(1);
    await stop();
  });

  it('is told from a quiet one, which brings bookmarks, and from one that is cut off early', async () => {
    const clock = new VirtualClock(0);
    const bookmark = JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '510' } } });
    const quiet = server(clock, { openMs: 300_000, lines: [bookmark], version: 511 });
    const short = server(clock, { openMs: 30_000 });
    const stops = [follow(clock, quiet.transport).stop, follow(clock, short.transport).stop];
    await clock.advance(301_000);
    expect(quiet.asked).toEqual({ lists: 1, watches: ['510', '510'] });
    expect(short.asked.lists).toBe(1);
    expect(short.asked.watches.length).toBeGreaterThan(5);
    for (const stop of stops) await stop();
  });

  it('is not begun when the server, asked before, is behind it: everything is listed again at once', async () => {
    const clock = new VirtualClock(0);
    const { asked, state, transport } = server(clock, { openMs: 10_000 });
    const { figures, stop } = follow(clock, transport);
    await clock.advance(5_000);
    state.version = 200;
    await clock.advance(6_000);
    expect(asked).toEqual({ lists: 2, watches: ['499', '199'] });
    expect(figures.value('epsilon_watcher_breaks_total', { collection: 'jobs', kind: 'rewound' })).toBe(1);
    await stop();
  });

  it('is left at once when somebody else noticed that versions went backwards', async () => {
    const clock = new VirtualClock(0);
    const { asked, transport } = server(clock, { openMs: 300_000 });
    const { follower, stop } = follow(clock, transport);
    await clock.advance(10_000);
    follower.relist();
    await clock.advance(1_000);
    expect(asked).toEqual({ lists: 2, watches: ['499', '498'] });
    await stop();
  });
});

describe('the lease', () => {
  it('tells that versions went backwards once for each time they do, and not that they went on', async () => {
    const clock = new VirtualClock(0);
    const versions = ['90', '100', '1000', '40', '41', '3'];
    let reads = 0;
    const transport: Transport = {
      send: async () =>
        answer({
          metadata: { resourceVersion: versions[Math.min(reads++, versions.length - 1)] },
          spec: { holderIdentity: 'another', leaseDurationSeconds: 1_000 },
        }),
      stream: async () => undefined,
      close: () => undefined,
    };
    const rewound: number[] = [];
    const stop = new AbortController();
    const election = new Election({
      transport,
      clock,
      random: () => 0.5,
      log: silentLog,
      identity: 'one',
      onContact: () => undefined,
      onReached: () => undefined,
      onRewound: () => rewound.push(reads),
    });
    const run = election.run(stop.signal, async () => undefined);
    await clock.advance(30_000);
    expect(rewound).toEqual([4, 6]);
    stop.abort();
    await run;
  });
});
