/** The foremost waiting job of one tenant. */
export interface Waiter {
  readonly tenantId: string;
  /** 0 (last) to 100 (first). */
  readonly priority: number;
  /** Since when the tenant has been waiting for its turn (its arrival, or its last turn), milliseconds. */
  readonly since: number;
  /** Order of arrival. */
  readonly order: number;
}

/** Seconds of waiting that are worth one point of priority: the longest wait behind others is 100 of them and a turn. */
export const agingSeconds = 60;

/** Milliseconds after which used capacity weighs half. */
const halfLife = 1_800_000;

/** Milliseconds that a job counts for as soon as it starts, so that tenants alternate also within one moment. */
const entry = 60_000;

function urgency({ priority, since }: Waiter, now: number): number {
  return priority + Math.floor(Math.max(0, now - since) / (agingSeconds * 1000));
}

/**
 * Whose turn it is: the highest priority (a minute of waiting is worth a point), then the tenant that has used least of
 * late, then who came first. Every tenant is in the queue once, with its first job: a backlog of a thousand jobs waits
 * behind itself. Undefined when nobody waits.
 */
export function whoseTurn<T extends Waiter>(
  waiters: Iterable<T>,
  { now, use }: { readonly now: number; readonly use: (tenantId: string) => number },
): T | undefined {
  let best: { readonly waiter: T; readonly urgency: number; readonly use: number } | undefined;
  for (const waiter of waiters) {
    const next = { waiter, urgency: urgency(waiter, now), use: use(waiter.tenantId) };
    const order = best
      ? next.urgency - best.urgency || best.use - next.use || best.waiter.order - waiter.order
      : 1;
    if (order > 0) best = next;
  }
  return best?.waiter;
}

interface Use {
  /** Decayed vCPU milliseconds up to `at`. */
  readonly spent: number;
  readonly at: number;
  /** vCPU running since. */
  readonly running: number;
}

/** What tenants use: vCPU time that halves in weight every 30 minutes, and what runs now. */
export class ShareLedger {
  readonly #uses = new Map<string, Use>();

  /** Decayed vCPU milliseconds of a tenant; 0 for one that has used nothing. */
  useOf(tenantId: string, now: number): number {
    const use = this.#uses.get(tenantId);
    if (!use) return 0;
    const decay = 2 ** (-Math.max(0, now - use.at) / halfLife);
    return use.spent * decay + use.running * (halfLife / Math.LN2) * (1 - decay) + use.running * entry;
  }

  /** Notes that so many vCPU began (or, negative, ended) to run. */
  change(tenantId: string, vcpus: number, now: number): void {
    const running = this.#uses.get(tenantId)?.running ?? 0;
    const spent = this.useOf(tenantId, now) - running * entry;
    const after = Math.max(0, running + vcpus);
    this.#uses.set(tenantId, { spent, at: now, running: after < 1e-9 ? 0 : after });
  }
}
