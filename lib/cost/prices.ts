import instances from './instances.json' with { type: 'json' };

/** US dollars by name of what is priced. */
type Prices = Readonly<Record<string, number>>;

/** Prices of hours of instances, which `epsilon cost prices update` looks up again, as a whole. */
export interface InstancePrices {
  /** Day on which they were looked up, or the last one of which they may be. */
  readonly listedAt: string;
  readonly source: string;
  /** An hour of an instance, on-demand. */
  readonly instanceHour: Prices;
  /** An hour of a database in one zone; in two zones it costs twice as much. */
  readonly databaseHour: Prices;
  /** An hour of a node of the cache. */
  readonly cacheHour: Prices;
  /** An hour on spot, by instance type, zone and day: its mean over the day. */
  readonly spotHour: Readonly<Record<string, Readonly<Record<string, Prices>>>>;
}

/** The prices of instances that are listed. */
export const instancePrices: InstancePrices = instances;

/**
 * The one list of AWS prices, US dollars. It says where and when the prices are from; a new list replaces it as a whole. What is
 * not on it has no price, which is an error for whoever asks.
 */
export const priceList = {
  region: 'us-west-2',
  /** Last day of which these prices may be; a list is as old as its prices, not as its file. */
  listedAt: '2025-12-31',
  source: "AWS' public price pages as they were in 2025, not looked up again",
  /** Hours of a month, as AWS counts them. */
  hoursPerMonth: 730,
  /** Part of the on-demand price that spot is assumed to cost on days of which its price is not listed. */
  spotShare: 1 / 3,
  /** Part of the on-demand price that a commitment for one year saves, nothing paid up front. */
  oneYear: {
    'reserved instances or EC2 savings plan': 0.37,
    'compute savings plan': 0.27,
    'reserved database nodes': 0.3,
    'reserved cache nodes': 0.32,
  },
  instanceHour: instancePrices.instanceHour,
  databaseHour: instancePrices.databaseHour,
  cacheHour: instancePrices.cacheHour,
  /** Hours of what costs while it exists. */
  hour: { cluster: 0.1, natGateway: 0.045, publicAddress: 0.005, endpointZone: 0.01 },
  /**
   * Months of what costs while it exists. GiB: one of an instance's disk (gp3), of a database's disk in one zone, of
   * objects (Standard).
   */
  month: { key: 1, secret: 0.4, nodeGiB: 0.08, databaseGiB: 0.115, objectGiB: 0.023 },
  /**
   * What costs by use: a request to a REST API, an invocation of a function and a GiB-second of it (x86), 4 KB read consistently and 1 KB
   * written on demand in the table, a GiB of logs, a transition of a Standard workflow, a list or a write of objects, a read of one.
   */
  use: {
    apiRequest: 3.5e-6,
    invocation: 0.2e-6,
    functionGiBSecond: 1.6667e-5,
    tableRead: 0.125e-6,
    tableWrite: 0.625e-6,
    logGiB: 0.5,
    transition: 2.5e-5,
    objectList: 5e-6,
    objectRead: 4e-7,
  },
} as const;

/** A price by name. Error: nothing of that name is on the list. */
export function priceOf(prices: Prices, name: string): number {
  const price = Object.hasOwn(prices, name) ? prices[name] : undefined;
  if (price === undefined) throw new Error(`no price of ${name} (lib/cost/prices.ts)`);
  return price;
}

/** Days after which a list of prices is said to be old. */
const oldAfterDays = 90;

/** What is to be said of the age of the prices, if anything. */
export function priceAgeNote(now: number): string | undefined {
  const old = [
    { what: 'prices of instances', at: instancePrices.listedAt, how: 'epsilon cost prices update' },
    { what: 'other prices', at: priceList.listedAt, how: 'look them up again in lib/cost/prices.ts' },
  ]
    .map((one) => ({ ...one, days: Math.floor((now - Date.parse(one.at)) / 86_400_000) }))
    .filter(({ days }) => !(days <= oldAfterDays));
  if (old.length === 0) return undefined;
  return old
    .map(({ what, at, days, how }) => `${what} are ${days} days old (${priceList.region}, ${at}): ${how}`)
    .join('; ');
}

/**
 * Part of the on-demand price that spot cost on a day (`YYYY-MM-DD`) in a zone, or in all zones on average where that zone is not known or not listed;
 * undefined where no price of that type and day is listed.
 */
export function listedSpotShare(
  type: string,
  day: string,
  zone?: string,
  prices = instancePrices,
): number | undefined {
  const zones = Object.hasOwn(prices.spotHour, type) ? (prices.spotHour[type] ?? {}) : {};
  const onDemand = Object.hasOwn(prices.instanceHour, type) ? prices.instanceHour[type] : undefined;
  const own = zone !== undefined && Object.hasOwn(zones, zone) ? zones[zone]?.[day] : undefined;
  const hours = own === undefined ? Object.values(zones).flatMap((days) => days[day] ?? []) : [own];
  if (hours.length === 0 || onDemand === undefined) return undefined;
  return hours.reduce((sum, hour) => sum + hour, 0) / hours.length / onDemand;
}

/** The same, and the assumed part where no price is listed. */
export const spotShareOf = (type: string, day: string, zone?: string, prices = instancePrices): number =>
  listedSpotShare(type, day, zone, prices) ?? priceList.spotShare;
