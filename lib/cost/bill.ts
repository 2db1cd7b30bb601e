import type { BillScope } from '../config/service-config.ts';
import { hourOfType } from './nodes.ts';
import { instancePrices, spotShareOf } from './prices.ts';

/** One kind of usage of one day, as it is billed (amortized: commitments are spread over their time). */
export interface BillLine {
  readonly service: string;
  /** The service's own name of what was used, as `USW2-SpotUsage:c5.4xlarge`. */
  readonly usage: string;
  readonly usd: number;
  readonly quantity: number;
}

/** A day of the bill. */
export interface BilledDay {
  readonly day: string;
  /** The month is closed: nothing of it changes any more. */
  readonly final: boolean;
  readonly lines: readonly BillLine[];
}

/** What is known of a month's bill, and what it cost to ask. */
export interface BillRecord {
  readonly month: string;
  readonly askedAt: string;
  readonly requests: number;
  /** What it is the bill of; the account where absent. */
  readonly scope?: BillScope | undefined;
  readonly days: readonly BilledDay[];
}

/** US dollars of a request to Cost Explorer. */
export const requestUsd = 0.01;

/** Hours after the end of a day until it is billed whole. */
const settledHours = 48;

/** Part of the bill that may stay unexplained. */
export const mostGap = 0.05;

/**
 * Instances that answer users, by infra/config/infrastructure; all others train. Nothing that is billed says which group an instance belonged to
 * unless somebody activates tags for it.
 */
export const servingTypes: ReadonlySet<string> = new Set([
  't3.large',
  't3a.large',
  'm6i.large',
  'm6a.large',
  'm5.large',
  'c5.2xlarge',
]);

/** Services that the platform is made of and all tenants share; what else is billed is nobody's. */
const shared = /^(Amazon|AWS|EC2 - Other)/;
const nobodys = /tax|support|marketplace|refund|credit/i;

/** What leads jobs, of which attempts pay a part. */
const control = /Lambda|Step ?Functions|States/i;

/** What is kept on disks of nodes and in the object store, of which attempts pay a part. */
const storage = /TimedStorage|EBS:Volume/i;

/** Whether a day is young: it ended less than 48 hours ago, so that its bill still grows. */
export function isYoung(day: string, now: number): boolean {
  return now < Date.parse(`${day}T00:00:00Z`) + 86_400_000 + settledHours * 3_600_000;
}

/** Sum of a day, or of some of its lines. */
export const sumOf = (lines: readonly BillLine[]) => lines.reduce((sum, { usd }) => sum + usd, 0);

/** Instance of a usage, and whether it was on spot; undefined for anything else. */
function instanceOf({ usage }: BillLine): { readonly type: string; readonly spot: boolean } | undefined {
  const [, kind, type] =
    /(?:^|-)(SpotUsage|BoxUsage|DedicatedUsage|HeavyUsage):([a-z0-9-]+\.[a-z0-9-]+)$/.exec(usage) ?? [];
  return kind === undefined || type === undefined ? undefined : { type, spot: kind === 'SpotUsage' };
}

/** What a line should cost by the list of prices; what is not on it costs what is billed. */
function expectedUsd(line: BillLine, day: string): number {
  const instance = instanceOf(line);
  const hour = instance && hourOfType(instance.type, instancePrices);
  if (!instance || hour === undefined) return line.usd;
  return line.quantity * hour * (instance.spot ? spotShareOf(instance.type, day) : 1);
}

/** What our own attempts cost by the estimate, on the same days. */
export interface Estimated {
  readonly jobsUsd: number;
  readonly storageUsd: number;
  readonly controlUsd: number;
}

/** A bill, taken apart. Estimate, shared, idle and unallocated add up to it but for the gap. */
export interface Reconciliation {
  readonly days: number;
  readonly billUsd: number;
  /** Tenants' training, by our attempts. */
  readonly estimateUsd: number;
  /** What stands for all tenants. */
  readonly sharedUsd: number;
  /** Instances that trained nothing, by their hours and the list of prices. */
  readonly idleUsd: number;
  /** Taxes, support, and services that are none of the platform's. */
  readonly unallocatedUsd: number;
  /** Bill less all of that: prices that are wrong, attempts that are not on record. */
  readonly gapUsd: number;
  /** The same as a part of the bill. */
  readonly gapShare: number;
}

type Kind = 'training' | 'control' | 'storage' | 'shared' | 'unallocated';

function kindOf(line: BillLine): Kind {
  const instance = instanceOf(line);
  if (nobodys.test(line.service)) return 'unallocated';
  if (instance) return servingTypes.has(instance.type) ? 'shared' : 'training';
  if (control.test(line.service)) return 'control';
  if (storage.test(line.usage) && shared.test(line.service)) return 'storage';
  return shared.test(line.service) ? 'shared' : 'unallocated';
}

/** Holds the estimate beside the bill of some days. */
export function reconcile(days: readonly BilledDay[], estimated: Estimated): Reconciliation {
  const lines = days.flatMap((day) => day.lines);
  const of = (kind: Kind) => lines.filter((line) => kindOf(line) === kind);
  const expected = days.reduce(
    (sum, day) =>
      day.lines
        .filter((line) => kindOf(line) === 'training')
        .reduce((within, line) => within + expectedUsd(line, day.day), sum),
    0,
  );
  const billUsd = sumOf(lines);
  const { jobsUsd, storageUsd, controlUsd } = estimated;
  const estimateUsd = jobsUsd + storageUsd + controlUsd;
  const idleUsd = Math.max(0, expected - jobsUsd);
  const rest = (kind: Kind, own: number) => Math.max(0, sumOf(of(kind)) - own);
  const sharedUsd = sumOf(of('shared')) + rest('control', controlUsd) + rest('storage', storageUsd);
  const unallocatedUsd = sumOf(of('unallocated'));
  const gapUsd = billUsd - (estimateUsd + sharedUsd + idleUsd + unallocatedUsd);
  return {
    days: days.length,
    billUsd,
    estimateUsd,
    sharedUsd,
    idleUsd,
    unallocatedUsd,
    gapUsd,
    gapShare: billUsd === 0 ? (estimateUsd === 0 ? 0 : 1) : Math.abs(gapUsd) / billUsd,
  };
}

/** What a month will cost. */
export interface MonthForecast {
  readonly month: string;
  /** Billed so far, young days left out. */
  readonly soFarUsd: number;
  readonly expectedUsd: number;
  /** Within these with 95 %, if the days to come are like the ones before. */
  readonly lowUsd: number;
  readonly highUsd: number;
}

const daysIn = (month: string) =>
  new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 0)).getUTCDate();

/** The month's bill, from its settled days and as many days to come as it has, like the last 28 settled ones. Undefined below three of those. */
export function monthForecast(
  days: readonly BilledDay[],
  month: string,
  now: number,
): MonthForecast | undefined {
  const settled = days.filter(({ day }) => !isYoung(day, now)).toSorted((a, b) => a.day.localeCompare(b.day));
  const last = settled.slice(-28).map(({ lines }) => sumOf(lines));
  if (last.length < 3) return undefined;
  const own = settled.filter(({ day }) => day.startsWith(month));
  const soFarUsd = own.reduce((sum, { lines }) => sum + sumOf(lines), 0);
  const left = daysIn(month) - own.length;
  const mean = last.reduce((sum, usd) => sum + usd, 0) / last.length;
  const variance = last.reduce((sum, usd) => sum + (usd - mean) ** 2, 0) / (last.length - 1);
  // Of the days themselves, and of their mean, which is as uncertain for all of them.
  const wide = 1.96 * Math.sqrt(variance * (left + (left * left) / last.length));
  const expected = soFarUsd + left * mean;
  return {
    month,
    soFarUsd,
    expectedUsd: expected,
    lowUsd: Math.max(soFarUsd, expected - wide),
    highUsd: expected + wide,
  };
}
