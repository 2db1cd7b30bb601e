import { z } from 'zod';

/** An instant of a drill, ISO 8601; absent where the drill never came so far. */
const instant = z.iso.datetime();

const checkSchema = z.object({
  name: z.string().min(1),
  count: z.int().nonnegative(),
  faults: z.array(z.string()),
});

/** What a drill on AWS did, as its object in the other region has it. */
export const cloudDrillSchema = z.object({
  schemaVersion: z.literal(1),
  /** The restore that was drilled. */
  id: z.string().min(1),
  environment: z.string().min(1),
  account: z.string(),
  region: z.string().min(1),
  /** Function whose role read everything back; it is denied the home region. */
  verifiedBy: z.string().min(1),
  /** ISO 8601: the moment that was restored. */
  point: instant,
  times: z.object({
    /** T0: the region counts as lost. */
    declaredAt: instant,
    /** T1 and T2: the database, and the table, are as they were to be. */
    databaseAt: instant.optional(),
    tableAt: instant.optional(),
    /** T3: what was restored has been read back. */
    verifiedAt: instant.optional(),
    /** T4: what the drill made is gone again. */
    removedAt: instant,
  }),
  /** Newest heartbeat that each store acknowledged, in the ledger outside all of them; minutes since the Unix epoch. */
  acknowledged: z.record(z.string(), z.int()),
  /** Newest heartbeat that each restored store has. */
  restored: z.record(z.string(), z.int()),
  checks: z.array(checkSchema),
  bytesRead: z.int().nonnegative(),
  /** Why it broke off. */
  error: z.string().optional(),
});

/** What a drill on AWS did; the verdict is computed from it alone. */
export type CloudDrill = z.output<typeof cloudDrillSchema>;

/** Steps of a real recovery that no drill goes through, in minutes; all are estimates (docs/recover.md). */
export const estimates = [
  { what: 'the loss is noticed', minutes: 15 },
  { what: 'somebody decides', minutes: 15 },
  { what: 'hot tables are read once', minutes: 30 },
  { what: 'the service is deployed', minutes: 20 },
] as const;

const estimatedMinutes = estimates.reduce((sum, { minutes }) => sum + minutes, 0);

/** Minutes that a recovery may take, and that may be lost. */
const goals = { recoveryMinutes: 240, lossMinutes: 60 } as const;

/** Whether a drill passed, and what it measured. */
export interface CloudDrillVerdict {
  readonly passed: boolean;
  readonly reasons: readonly string[];
  /** Minutes from the declared loss to what was read back; null where it did not come so far. */
  readonly measuredMinutes: number | null;
  /** The same with the estimated steps. */
  readonly recoveryMinutes: number | null;
  /** Minutes of acknowledged work that the worst store lacks; null where the ledger has nothing of it. */
  readonly lossMinutes: number | null;
}

const minutesBetween = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 60_000;

function lossOf({ acknowledged, restored }: CloudDrill): number | null {
  const losses = Object.entries(acknowledged).flatMap(([store, n]) => {
    const found = restored[store];
    return found === undefined ? [] : [Math.max(0, n - found)];
  });
  return losses.length === 0 ? null : Math.max(...losses);
}

/** Steps that are not on record, and those that come before what they follow. */
function orderFaults({ times }: CloudDrill): string[] {
  const { declaredAt, databaseAt, tableAt, verifiedAt, removedAt } = times;
  const absent = Object.entries({ database: databaseAt, table: tableAt, verification: verifiedAt })
    .filter(([, at]) => at === undefined)
    .map(([what]) => `it did not come to the ${what}`);
  const order = [declaredAt, databaseAt, tableAt, verifiedAt].filter((at) => at !== undefined);
  const last = verifiedAt ?? declaredAt;
  const late = order.some((at) => at < declaredAt || (verifiedAt !== undefined && at > verifiedAt));
  return [...absent, ...(late || removedAt < last ? ['its steps are not in the order of their times'] : [])];
}

/**
 * The verdict on a drill, from its record alone, by who did not take part in it: one that broke off, checked nothing, took longer than four
 * hours with the estimated steps, or lost more than an hour has not passed.
 */
export function judgeCloudDrill(drill: CloudDrill): CloudDrillVerdict {
  const { times, checks, bytesRead, error } = drill;
  const measuredMinutes =
    times.verifiedAt === undefined ? null : minutesBetween(times.declaredAt, times.verifiedAt);
  const recoveryMinutes = measuredMinutes === null ? null : measuredMinutes + estimatedMinutes;
  const lossMinutes = lossOf(drill);
  const reasons = [
    ...(error === undefined ? [] : [error]),
    ...orderFaults(drill),
    ...(checks.length === 0 ? ['nothing was checked'] : []),
    ...checks.filter(({ count }) => count === 0).map(({ name }) => `${name}: nothing was looked at`),
    ...checks.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`)),
    ...(bytesRead > 0 ? [] : ['no byte was read back']),
    ...(recoveryMinutes !== null && recoveryMinutes > goals.recoveryMinutes
      ? [`it took ${recoveryMinutes.toFixed(0)} minutes; ${goals.recoveryMinutes} are allowed`]
      : []),
    ...(lossMinutes === null ? ['no store was held against what it had acknowledged'] : []),
    ...(lossMinutes !== null && lossMinutes > goals.lossMinutes
      ? [`${lossMinutes} minutes were lost; ${goals.lossMinutes} are allowed`]
      : []),
  ];
  return { passed: reasons.length === 0, reasons, measuredMinutes, recoveryMinutes, lossMinutes };
}

/** Folder of the records of drills in the bucket of the other region. */
export const cloudDrillsPrefix = 'recovery/drills/';

/** Key of a drill's record; names begin with the time, so that they are in order. */
export const cloudDrillKey = ({ id, times }: Pick<CloudDrill, 'id' | 'times'>): string =>
  `${cloudDrillsPrefix}${times.declaredAt.replace(/[:.]/g, '-')}-${id}.json`;
