import type { HeartbeatFigures, RestoreCheck, StoreName } from './records.ts';

/** What is written into every store each minute: what of it is found again says to which moment the store reaches. */
export interface Heartbeat {
  /** The minute since the Unix epoch; rises, and is the same for who writes it twice. */
  readonly n: number;
  /** ISO 8601: when it was written. */
  readonly at: string;
}

const minute = 60_000;

/** Where the heartbeat of objects is in the data bucket. */
export const heartbeatKey = 'recovery/heartbeat.json';

/** Name of the database on the instance (infra/pulumi/database.ts), and the user of it that may write heartbeats and nothing else. */
export const heartbeatDatabase = { name: 'embeddings_saas', user: 'epsilon_heartbeat' } as const;

/** Minutes by which a restored store may be behind the moment: two heartbeats, and one that came late. */
const toleratedMinutes = 5;

/** The heartbeat of a moment in milliseconds. */
export function heartbeatAt(now: number): Heartbeat {
  return { n: Math.floor(now / minute), at: new Date(now).toISOString() };
}

/** The newest heartbeats of the stores; null where a store that was read has none. */
export type Heartbeats = Partial<Readonly<Record<StoreName, Heartbeat | null>>>;

const most = (values: readonly number[]) => (values.length === 0 ? undefined : Math.max(...values));

/**
 * Holds what restored stores have of the heartbeat against the ledger and the moment (ISO 8601) that they were restored to. Database
 * and table are faulty when they lack it or are behind what was acknowledged before the moment; objects may be of any later time.
 */
export function judgeHeartbeats(
  restored: Heartbeats,
  ledger: Heartbeats,
  point: string,
): { readonly check: RestoreCheck; readonly figures: HeartbeatFigures } {
  const faults: string[] = [];
  const losses: number[] = [];
  const found = Object.entries(restored) as [StoreName, Heartbeat | null][];
  for (const [store, heartbeat] of found) {
    const acknowledged = ledger[store];
    if (heartbeat && acknowledged) losses.push(Math.max(0, acknowledged.n - heartbeat.n));
    // What was never acknowledged cannot be missed.
    if (!acknowledged) continue;
    if (!heartbeat) faults.push(`${store}: it holds no heartbeat, ${acknowledged.n} was acknowledged`);
    else if (store !== 'objects') {
      const expected = Math.min(acknowledged.n, Math.floor(Date.parse(point) / minute)) - toleratedMinutes;
      if (heartbeat.n < expected)
        faults.push(`${store}: its heartbeat ${heartbeat.n} is of ${heartbeat.at}, long before ${point}`);
    }
  }
  const numbers = found.flatMap(([store, heartbeat]) => (heartbeat ? [[store, heartbeat.n] as const] : []));
  const lossMinutes = most(losses);
  const values = numbers.map(([, n]) => n);
  return {
    check: { name: 'heartbeat', count: numbers.length, faults },
    figures: {
      restored: Object.fromEntries(numbers),
      acknowledged: Object.fromEntries(
        found.flatMap(([store]) => (ledger[store] ? [[store, ledger[store].n] as const] : [])),
      ),
      ...(lossMinutes === undefined ? {} : { lossMinutes }),
      ...(values.length === 0 ? {} : { skewMinutes: Math.max(...values) - Math.min(...values) }),
    },
  };
}
