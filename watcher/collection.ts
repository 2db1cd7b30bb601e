import { statusOf } from '../lib/kubernetes/errors.ts';
import { jobNamespace, ourJobs } from '../lib/kubernetes/job-labels.ts';
import { parseObjects } from '../lib/kubernetes/json.ts';
import type { Transport } from '../lib/kubernetes/transport.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { Log } from '../lib/ports/log.ts';
import type { Random } from '../lib/ports/random.ts';
import type { WatcherFigures } from './metrics.ts';

/** Objects of one page of a list. */
const pageSize = 200;

/** Milliseconds of the first and of the longest pause after something broke. */
const firstPause = 500;
const longestPause = 30_000;

/** Seconds after which the server closes a watch: five to ten minutes, so that not all come back together. */
const watchSeconds = 300;

/** Milliseconds after which a watch without one line is deaf: the server sends a bookmark about every minute. */
const deafMs = 60_000;

/** Kinds that are followed. */
export type Collection = 'jobs' | 'pods';

const paths: Readonly<Record<Collection, string>> = {
  jobs: `/apis/batch/v1/namespaces/${jobNamespace}/jobs`,
  pods: `/api/v1/namespaces/${jobNamespace}/pods`,
};

/** What is common to the objects. */
interface Item {
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string };
}

interface Page<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}

interface WatchLine<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T & { readonly code?: number; readonly message?: string };
}

/** Who hears of the objects. */
export interface CollectionListener<T> {
  /** An object as it is now. */
  readonly seen: (object: T) => void;
  /** An object that was removed, as it was last. */
  readonly gone: (object: T) => void;
  /** A list is complete: what is not on it does not exist. */
  readonly listed: (names: ReadonlySet<string>) => void;
  /** The watch ended or broke: from now on changes are missed until something is heard again. */
  readonly behind?: () => void;
  /** What was missed has been listed, or is coming. */
  readonly current?: () => void;
}

/** What following a collection takes. */
export interface FollowOptions<T> {
  readonly collection: Collection;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly figures: WatcherFigures;
  readonly listener: CollectionListener<T>;
  /** Something was heard of the server. */
  readonly onContact: () => void;
}

/** The server no longer knows the changes since the version it was asked from: everything has to be listed again. */
class Expired extends Error {
  override readonly name = 'Expired';
}

class AnswerRefused extends Error {
  override readonly name = 'AnswerRefused';
  readonly code: number;

  constructor(code: number, what: string) {
    super(`${what} was refused with ${code}`);
    this.code = code;
  }
}

/** Lists a collection and follows its changes; every object is handed on and forgotten. */
export class CollectionFollower<T extends Item> {
  readonly #options: FollowOptions<T>;
  #version: string | undefined;
  #failures = 0;
  #watching = new AbortController();
  /** The version is that of a list which nothing came after: no server can have forgotten it. */
  #justListed = false;

  constructor(options: FollowOptions<T>) {
    this.#options = options;
  }

  /** Lists once; `follow` goes on from there. */
  async list(signal: AbortSignal): Promise<void> {
    const { collection, listener, figures } = this.#options;
    const names = new Set<string>();
    let more: string | undefined;
    do {
      signal.throwIfAborted();
      const query = new URLSearchParams({ labelSelector: ourJobs, limit: String(pageSize) });
      if (more !== undefined) query.set('continue', more);
      const page = await this.#page(query, signal);
      for (const object of page.items) {
        names.add(object.metadata?.name ?? '');
        listener.seen(object);
      }
      this.#version = page.metadata.resourceVersion;
      more = page.metadata.continue || undefined;
    } while (more !== undefined);
    this.#justListed = true;
    listener.listed(names);
    listener.current?.();
    figures.count('epsilon_watcher_lists_total', { collection });
  }

  async #page(query: URLSearchParams, signal: AbortSignal): Promise<Page<T>> {
    const { collection, transport } = this.#options;
    const path = `${paths[collection]}?${query}`;
    const { status, body } = await transport.send({ method: 'GET', path, signal });
    if (status === 410) throw new Expired('the list took too long');
    if (status !== 200) throw new AnswerRefused(status, `the list of ${collection}`);
    this.#heard();
    return parseObjects<Page<T>>(body);
  }

  /**
   * Whether the version to watch from is one that the server has not reached: its data was restored from a backup. Asked before a watch is
   * begun again, which a restored server always makes necessary. Versions come from one counter, and since Kubernetes 1.35
   * they may be compared as numbers.
   */
  async #isAhead(version: string, signal: AbortSignal): Promise<boolean> {
    const page = await this.#page(new URLSearchParams({ labelSelector: ourJobs, limit: '1' }), signal);
    const { resourceVersion: current } = page.metadata;
    return [version, current].every((one) => /^\d+$/.test(one)) && BigInt(version) > BigInt(current);
  }

  /** Lists again at once: the versions that were followed are those of a future that was taken back. */
  relist(): void {
    this.#version = undefined;
    this.#watching.abort();
  }

  /** Follows until `signal` aborts; never throws: what breaks is logged, counted, and begun again. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#listOrWatch(signal);
        await this.#pause(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#broken(error, signal);
      }
    }
  }

  async #listOrWatch(signal: AbortSignal): Promise<void> {
    const version = this.#version;
    const listed = this.#justListed;
    this.#justListed = false;
    if (version === undefined) await this.list(signal);
    else if (!listed && (await this.#isAhead(version, signal))) this.#rewound();
    // While that was asked, another call may have asked for a new list.
    else if (this.#version === version)
      await this.#watch(version, signal).finally(() => this.#options.listener.behind?.());
  }

  async #watch(version: string, signal: AbortSignal): Promise<void> {
    const { collection, transport, random, figures, clock } = this.#options;
    const query = new URLSearchParams({
      watch: 'true',
      allowWatchBookmarks: 'true',
      labelSelector: ourJobs,
      resourceVersion: version,
      timeoutSeconds: String(Math.round(watchSeconds * (1 + random()))),
    });
    figures.count('epsilon_watcher_watches_total', { collection });
    this.#watching = new AbortController();
    const { signal: relisted } = this.#watching;
    const began = clock.now();
    let lines = 0;
    const onLine = (line: string) => {
      lines += 1;
      if (!relisted.aborted) this.#line(line);
    };
    try {
      await transport.stream(`${paths[collection]}?${query}`, onLine, AbortSignal.any([signal, relisted]));
    } catch (error) {
      if (!relisted.aborted) throw error;
    } finally {
      if (lines === 0 && clock.now() - began >= deafMs) this.#deaf();
    }
  }

  #rewound(): void {
    const { collection, log, figures } = this.#options;
    figures.count('epsilon_watcher_breaks_total', { collection, kind: 'rewound' });
    log.warn('server behind the version watched from, listing again', { collection });
    this.#version = undefined;
  }

  /** The server waits for a version that it may never reach, as after a restored backup: its silence is no quiet. */
  #deaf(): void {
    const { collection, log, figures } = this.#options;
    figures.count('epsilon_watcher_breaks_total', { collection, kind: 'deaf' });
    log.warn('watch without a line, listing again', { collection });
    this.#version = undefined;
  }

  #line(line: string): void {
    const { listener } = this.#options;
    const { type, object } = parseObjects<WatchLine<T>>(line);
    if (type === 'ERROR') {
      if (object.code === 410) throw new Expired(object.message ?? 'expired');
      throw new AnswerRefused(object.code ?? 0, `the watch of ${this.#options.collection}`);
    }
    this.#heard();
    listener.current?.();
    if (type === 'DELETED') listener.gone(object);
    else if (type !== 'BOOKMARK') listener.seen(object);
    // After the object was taken in: whoever begins again from here has missed nothing.
    this.#version = object.metadata?.resourceVersion ?? this.#version;
  }

  #heard(): void {
    this.#failures = 0;
    this.#options.onContact();
  }

  async #broken(error: unknown, signal: AbortSignal): Promise<void> {
    const { collection, log, figures } = this.#options;
    const expired = error instanceof Expired || statusOf(error) === 410;
    figures.count('epsilon_watcher_breaks_total', { collection, kind: expired ? 'expired' : 'broken' });
    if (expired) {
      log.info('versions expired, listing again', { collection });
      this.#version = undefined;
      // An expired version is no fault of the server: the first list comes at once, only a repeated one waits.
      this.#failures += 1;
      if (this.#failures === 1) return;
    } else {
      this.#failures += 1;
      log.warn('watch broken', { collection, failures: this.#failures, error: String(error) });
    }
    await this.#pause(signal);
  }

  /** Full jitter, longer with every failure in a row; a watch that ended as planned is begun again almost at once. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const longest = Math.min(longestPause, firstPause * 2 ** this.#failures);
    const delay = this.#failures === 0 ? random() * 50 : random() * longest;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(delay, done);
      function done() {
        signal.removeEventListener('abort', done);
        timer.cancel();
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
