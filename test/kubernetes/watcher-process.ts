import { readFileSync } from 'node:fs';
import { createTransport } from '../../lib/kubernetes/transport.ts';
import type { OutgoingEvent } from '../../lib/ports/event-publisher.ts';
import { SystemClock } from '../../lib/system/system-clock.ts';
import { Watcher } from '../../watcher/watcher.ts';
import { silentLog } from '../fixtures/silent-log.ts';
import type { Told } from './watching.ts';

/**
 * A watcher in a process of its own, so that its memory is its own and it can be killed: tells its parent what it would
 * tell the bus. Arguments: the API server, and where that is a real one its certificate and this replica's name.
 */
const [server = '', certificate, identity = 'bench'] = process.argv.slice(2);
const endpoint = certificate ? { server, ca: readFileSync(certificate, 'utf8') } : { server };
const clock = new SystemClock();
let calls = 0;

const transport = createTransport({
  access: { endpoint: async () => endpoint, token: async () => 'watcher', refresh: () => undefined },
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
      process.send?.({ at: Date.now(), told: events.map(({ detail }) => detail['data'] as Told) });
    },
  },
  clock,
  random: Math.random,
  log: silentLog,
  identity,
  heartbeatMs: 60_000,
});

const stop = new AbortController();
process.on('message', (message) => {
  if (message === 'stop') stop.abort();
  else
    process.send?.({
      rss: process.memoryUsage().rss,
      peak: process.resourceUsage().maxRSS * 1024,
      calls,
      leads: watcher.figures.value('epsilon_watcher_leading') === 1,
    });
});
process.once('disconnect', () => process.exit());
await watcher.run(stop.signal);
transport.close();
process.disconnect();
