import { createTransport } from '../../lib/kubernetes/transport.ts';
import type { OutgoingEvent } from '../../lib/ports/event-publisher.ts';
import { SystemClock } from '../../lib/system/system-clock.ts';
import { Watcher } from '../../watcher/watcher.ts';

/** A watcher in a process of its own, so that its memory is its own: tells its parent what it would tell the bus. */
const server = process.argv[2] ?? '';
const endpoint = { server };
const clock = new SystemClock();
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
let calls = 0;

const transport = createTransport({
  access: { endpoint: async () => endpoint, token: async () => 'token', refresh: () => undefined },
  clock,
  random: Math.random,
});
const watcher = new Watcher({
  transport,
  publisher: {
    publish: async (events: readonly OutgoingEvent[]) => {
      calls += 1;
      // What a call to the bus takes.
      await new Promise((resolve) => setTimeout(resolve, 20));
      process.send?.({
        at: Date.now(),
        told: events
          .map(({ detail }) => detail['data'] as { jobName: string; state: string })
          .map(({ jobName, state }) => [jobName, state]),
      });
    },
  },
  clock,
  random: Math.random,
  log: silent,
  identity: 'bench',
  heartbeatMs: 60_000,
});

const stop = new AbortController();
process.on('message', (message) => {
  if (message === 'stop') stop.abort();
  else
    process.send?.({
      rss: process.memoryUsage().rss,
      peak: process.resourceUsage().maxRSS * 1024,
      heap: process.memoryUsage().heapUsed,
      calls,
    });
});
await watcher.run(stop.signal);
transport.close();
process.disconnect();
