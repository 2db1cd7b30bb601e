import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { createEventPublisher } from '../lib/aws/eventbridge/event-publisher.ts';
import { createPowertoolsLog } from '../lib/aws/powertools/log.ts';
import { createClients } from '../lib/aws/wiring/clients.ts';
import { environmentVariables } from '../lib/config/environment.ts';
import { createInClusterAccess } from '../lib/kubernetes/in-cluster-access.ts';
import { createTransport } from '../lib/kubernetes/transport.ts';
import { SystemClock } from '../lib/system/system-clock.ts';
import { watcherSettings } from './settings.ts';
import { serveStatus } from './status-server.ts';
import { Watcher } from './watcher.ts';

const variables = environmentVariables();
const settings = watcherSettings(variables);
const clock = new SystemClock();
const random = Math.random;
const log = createPowertoolsLog({ environment: settings.environment }).child({ watcher: settings.name });
const transport = createTransport({ access: createInClusterAccess({ variables, clock }), clock, random });
const clients = createClients({ region: settings.region });
const publisher = createEventPublisher({
  client: clients.of(EventBridgeClient),
  bus: settings.eventBus,
  clock,
  random,
});
const watcher = new Watcher({
  transport,
  publisher,
  clock,
  random,
  log,
  identity: settings.name,
  heartbeatMs: settings.heartbeatMs,
});

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
const server = await serveStatus(watcher, settings.port);
log.info('watching', { bus: settings.eventBus });
await watcher.run(stop.signal);
server.close();
transport.close();
clients.close();
log.info('stopped');
