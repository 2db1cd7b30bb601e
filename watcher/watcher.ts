import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { Transport } from '../lib/kubernetes/transport.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { EventPublisher } from '../lib/ports/event-publisher.ts';
import type { Log } from '../lib/ports/log.ts';
import type { Random } from '../lib/ports/random.ts';
import { CollectionFollower } from './collection.ts';
import { JobTable } from './job-table.ts';
import { Election } from './lease.ts';
import { openWatcherFigures } from './metrics.ts';
import { Outbox } from './outbox.ts';

/** Milliseconds between two looks at what is due. */
const tickMs = 1_000;

/** Milliseconds without a word from the API server after which a watcher is no longer healthy. */
const silentMs = 180_000;

/** Milliseconds since the lease was last reached after which a replica is not ready to take over. */
const unreachedMs = 30_000;

/** Milliseconds that a stopping watcher gives its last events. */
const lastWordsMs = 8_000;

/** What a watcher is made of. */
export interface WatcherOptions {
  readonly transport: Transport;
  readonly publisher: EventPublisher;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Name of this replica. */
  readonly identity: string;
  readonly heartbeatMs: number;
}

/**
 * One replica of the job watcher: takes the lease or waits for it; while it holds it, follows jobs and pods and publishes
 * once for each job that is over, when one begins to run, and in every heartbeat period of each that is not over.
 */
export class Watcher {
  readonly figures = openWatcherFigures();
  readonly #options: WatcherOptions;
  readonly #outbox: Outbox;
  #heardAt: number;
  #reachedAt: number | undefined;
  #followers: readonly { relist(): void }[] = [];
  #table: JobTable | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
    this.#outbox = new Outbox({ ...options, figures: this.figures });
  }

  /** False when the API server has been silent for minutes: a restart may find it again. */
  get healthy(): boolean {
    return this.#options.clock.now() - this.#heardAt < silentMs;
  }

  /** True while the lease can be reached: a replica that may not read or write it would never take over. */
  get ready(): boolean {
    return this.#reachedAt !== undefined && this.#options.clock.now() - this.#reachedAt < unreachedMs;
  }

  /** Runs until `signal` aborts; then publishes what is left and gives the lease back. */
  async run(signal: AbortSignal): Promise<void> {
    const election = new Election({
      ...this.#options,
      onContact: () => this.#heard(),
      onReached: () => {
        this.#reachedAt = this.#options.clock.now();
      },
      onRewound: () => {
        this.figures.count('epsilon_watcher_rewinds_total');
        for (const follower of this.#followers) follower.relist();
      },
    });
    this.figures.set('epsilon_watcher_leading', 0);
    await election.run(signal, (leading) => this.#lead(leading));
  }

  /** Figures as they are now. */
  metrics(): string {
    const { pending = 0, running = 0 } = this.#table?.counts ?? {};
    this.figures.set('epsilon_watcher_jobs', pending, { state: 'pending' });
    this.figures.set('epsilon_watcher_jobs', running, { state: 'running' });
    this.figures.set('epsilon_watcher_events_waiting', this.#outbox.waiting);
    this.figures.set('epsilon_watcher_memory_bytes', process.memoryUsage().rss);
    return this.figures.text();
  }

  #heard(): void {
    this.#heardAt = this.#options.clock.now();
  }

  async #lead(leading: AbortSignal): Promise<void> {
    this.figures.set('epsilon_watcher_leading', 1);
    const table = new JobTable({
      clock: this.#options.clock,
      onReport: (report) => this.#outbox.add(report),
    });
    this.#table = table;
    const stopTicking = this.#tick(table);
    await this.#follow(table, leading);
    stopTicking();
    this.#table = undefined;
    this.figures.set('epsilon_watcher_leading', 0);
    await this.#outbox.flush(lastWordsMs);
  }

  /**
   * Jobs first: of the pods only those are kept then whose job is not over or was so of late, and not what hours of
   * finished jobs left. Ends wait until the pods are listed too: a pod holds the result.
   */
  async #follow(table: JobTable, leading: AbortSignal): Promise<void> {
    const common = { ...this.#options, figures: this.figures, onContact: () => this.#heard() };
    const jobsListed = Promise.withResolvers<void>();
    leading.addEventListener('abort', () => jobsListed.resolve(), { once: true });
    table.podsBehind();
    const pods = new CollectionFollower<V1Pod>({
      ...common,
      collection: 'pods',
      listener: {
        seen: (pod) => table.pod(pod),
        gone: (pod) => table.pod(pod, true),
        listed: (names) => table.keepOnlyPods(names),
        behind: () => table.podsBehind(),
        current: () => table.podsCurrent(),
      },
    });
    const jobs = new CollectionFollower<V1Job>({
      ...common,
      collection: 'jobs',
      listener: {
        seen: (job) => table.job(job),
        gone: (job) => table.jobGone(job),
        listed: (names) => {
          table.keepOnly(names);
          jobsListed.resolve();
        },
      },
    });
    this.#followers = [jobs, pods];
    await Promise.all([jobs.follow(leading), jobsListed.promise.then(() => pods.follow(leading))]);
    this.#followers = [];
  }

  #tick(table: JobTable): () => void {
    const { clock, heartbeatMs } = this.#options;
    const turns = Math.max(1, Math.round(heartbeatMs / tickMs));
    let turn = 0;
    const next = () => {
      table.tick();
      for (const report of table.alive(turn, turns)) this.#outbox.add(report);
      turn += 1;
      timer = clock.setTimer(tickMs, next);
    };
    let timer = clock.setTimer(tickMs, next);
    return () => timer.cancel();
  }
}
