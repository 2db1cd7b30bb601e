import { createTransport, type Transport } from '../../lib/kubernetes/transport.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { EventPublisher, OutgoingEvent } from '../../lib/ports/event-publisher.ts';
import { Watcher } from '../../watcher/watcher.ts';
import { silentLog } from '../fixtures/silent-log.ts';
import type { StandIn } from './stand-in/server.ts';

/** Data of a "Job State Change". */
export interface Told {
  readonly jobName: string;
  readonly state: string;
  readonly [more: string]: unknown;
}

/** A bus that keeps what it is told, unless it is made to refuse. */
export class TestBus implements EventPublisher {
  readonly events: OutgoingEvent[] = [];
  refuse = false;

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    if (this.refuse) throw new Error('the bus refuses');
    this.events.push(...events);
  }

  data(): Told[] {
    return this.events.map(({ detail }) => detail['data'] as Told);
  }

  /** What was told of the end of a job. */
  ends(jobName: string): Told[] {
    return this.data().filter(
      (one) => one.jobName === jobName && (one.state === 'succeeded' || one.state === 'failed'),
    );
  }
}

/** A replica of the watcher that runs. */
export interface Replica {
  readonly watcher: Watcher;
  readonly transport: Transport;
  /** SIGTERM: last events, lease given back. */
  stop(): Promise<void>;
}

/** Starts a replica over the stand-in. */
export function startReplica(
  server: StandIn,
  {
    bus,
    clock,
    identity = 'watcher-1',
  }: { readonly bus: EventPublisher; readonly clock: Clock; readonly identity?: string },
): Replica {
  const transport = createTransport({ access: server.access(), clock, random: Math.random });
  const watcher = new Watcher({
    transport,
    publisher: bus,
    clock,
    random: Math.random,
    log: silentLog,
    identity,
    heartbeatMs: 60_000,
  });
  const stop = new AbortController();
  const done = watcher.run(stop.signal);
  return {
    watcher,
    transport,
    stop: async () => {
      stop.abort();
      await done;
      transport.close();
    },
  };
}

/** The lease that the manifests make. */
export function makeLease(server: StandIn): void {
  server.store.create('leases', {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'job-watcher', namespace: 'epsilon' },
  });
}
