import type { Transport } from '../lib/kubernetes/transport.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { Log } from '../lib/ports/log.ts';
import type { Random } from '../lib/ports/random.ts';

/** Seconds after which a lease that nobody renews may be taken. */
const durationSeconds = 15;

/** Milliseconds between two looks, and in which a holder must have renewed once or it stops by itself. */
const lookMs = 3_000;
const renewWithinMs = 10_000;

const path = '/apis/coordination.k8s.io/v1/namespaces/epsilon/leases/job-watcher';

/** The lease, as JSON. */
interface LeaseObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly resourceVersion?: string; readonly [more: string]: unknown };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** What an election is made of. */
export interface ElectionOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly identity: string;
  /** The API server answered; whether it let us at the lease is another question. */
  readonly onContact: () => void;
  /** The lease was read, and taken, renewed or found in another's hands. */
  readonly onReached: () => void;
  /** Versions went backwards: the server's data was restored from a backup. */
  readonly onRewound: () => void;
}

/** Which of two watchers watches: the holder of the lease `job-watcher`. Two for a moment only publish events twice. */
export class Election {
  readonly #options: ElectionOptions;
  /** The newest state of the lease and when we saw it change: clocks of two nodes are not compared. */
  #seen: { readonly version: string; readonly at: number } | undefined;
  #renewedAt = 0;
  #newestVersion = 0n;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  /** Calls `lead` whenever this process holds the lease, until `signal` aborts; then gives the lease back. */
  async run(signal: AbortSignal, lead: (leading: AbortSignal) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      if (await this.#tryHold()) await this.#holdAndLead(signal, lead);
      else await this.#wait(lookMs * (0.8 + 0.4 * this.#options.random()), signal);
    }
  }

  async #holdAndLead(signal: AbortSignal, lead: (leading: AbortSignal) => Promise<void>): Promise<void> {
    const { log, identity, clock } = this.#options;
    const lost = new AbortController();
    log.info('leading', { identity });
    const work = lead(AbortSignal.any([signal, lost.signal]));
    while (!signal.aborted && !lost.signal.aborted) {
      await this.#wait(lookMs, signal);
      if (signal.aborted) break;
      if (!(await this.#tryHold()) && clock.now() - this.#renewedAt >= renewWithinMs) {
        log.warn('lease lost', { identity });
        lost.abort();
      }
    }
    await work;
    if (signal.aborted) await this.#release();
  }

  /** Takes or renews the lease; false when another holds it or the server does not answer. */
  async #tryHold(): Promise<boolean> {
    const { clock, identity, log, onReached } = this.#options;
    try {
      const lease = await this.#read();
      this.#compareVersions(lease);
      onReached();
      const holder = lease.spec?.holderIdentity ?? '';
      if (holder !== identity && holder !== '' && !this.#hasExpired(lease)) {
        this.#renewedAt = 0;
        return false;
      }
      const now = new Date(clock.now()).toISOString().replace('Z', '000Z');
      const mine = holder === identity;
      const transitions = (lease.spec?.leaseTransitions ?? 0) + (mine ? 0 : 1);
      await this.#write(lease, {
        holderIdentity: identity,
        leaseDurationSeconds: durationSeconds,
        acquireTime: mine ? (lease.spec?.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: transitions,
      });
      this.#renewedAt = clock.now();
      return true;
    } catch (error) {
      log.warn('lease not reached', { error: String(error) });
      return false;
    }
  }

  /** Versions of all objects come from one counter, and since Kubernetes 1.35 they may be compared as numbers. */
  #compareVersions({ metadata }: LeaseObject): void {
    if (!/^\d+$/.test(metadata.resourceVersion ?? '')) return;
    const version = BigInt(metadata.resourceVersion ?? 0);
    if (version < this.#newestVersion) {
      this.#options.log.warn('versions went backwards', {
        from: String(this.#newestVersion),
        to: String(version),
      });
      this.#options.onRewound();
    }
    this.#newestVersion = version;
  }

  #hasExpired({ metadata, spec }: LeaseObject): boolean {
    const now = this.#options.clock.now();
    const version = metadata.resourceVersion ?? '';
    if (this.#seen?.version !== version) this.#seen = { version, at: now };
    return now - this.#seen.at >= (spec?.leaseDurationSeconds ?? durationSeconds) * 1000;
  }

  async #release(): Promise<void> {
    const { identity, log } = this.#options;
    try {
      const lease = await this.#read();
      if (lease.spec?.holderIdentity === identity)
        await this.#write(lease, {
          leaseTransitions: lease.spec.leaseTransitions ?? 0,
          leaseDurationSeconds: 1,
        });
      log.info('lease given back', { identity });
    } catch (error) {
      log.warn('lease not given back', { error: String(error) });
    }
  }

  async #read(): Promise<LeaseObject> {
    const { status, body } = await this.#options.transport.send({ method: 'GET', path, tries: 1 });
    this.#options.onContact();
    if (status !== 200) throw new Error(`get leases.coordination.k8s.io: ${status}`);
    return JSON.parse(body) as LeaseObject;
  }

  /** The version that was read goes along: of two who write, the server takes one. */
  async #write(lease: LeaseObject, spec: LeaseObject['spec']): Promise<void> {
    const { status } = await this.#options.transport.send({
      method: 'PUT',
      path,
      tries: 1,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...lease, spec }),
    });
    if (status !== 200) throw new Error(`update leases.coordination.k8s.io: ${status}`);
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(ms, done);
      function done() {
        signal.removeEventListener('abort', done);
        timer.cancel();
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
