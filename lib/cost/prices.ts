/** US dollars by name of what is priced. */
type Prices = Readonly<Record<string, number>>;

/**
 * The one list of AWS prices, US dollars. It says where and when the prices are from; a new list replaces it as a whole. What is
 * not on it has no price, which is an error for whoever asks.
 */
export const priceList = {
  region: 'us-west-2',
  /** Day on which the list was written down. */
  listedAt: '2026-11-26',
  source: "AWS' public price pages as they were in 2025, not looked up again",
  /** Hours of a month, as AWS counts them. */
  hoursPerMonth: 730,
  /** Part of the on-demand price that spot is assumed to cost; the real one moves. */
  spotShare: 1 / 3,
  /** Part of the on-demand price that a commitment for one year saves, nothing paid up front. */
  oneYear: {
    'reserved instances or EC2 savings plan': 0.37,
    'compute savings plan': 0.27,
    'reserved database nodes': 0.3,
    'reserved cache nodes': 0.32,
  },
  /** An hour of an instance, on-demand. */
  instanceHour: { 't3.large': 0.0832, 'c5.2xlarge': 0.34, 'c5.4xlarge': 0.68 } as Prices,
  /** An hour of a database in one zone; in two zones it costs twice as much. */
  databaseHour: { 'db.t3.medium': 0.0725 } as Prices,
  /** An hour of a node of the cache. */
  cacheHour: { 'cache.t3.medium': 0.068 } as Prices,
  /** Hours of what costs while it exists. */
  hour: { cluster: 0.1, natGateway: 0.045, publicAddress: 0.005, endpointZone: 0.01 },
  /** Months of what costs while it exists. GiB: one of an instance's disk (gp3), one of a database's disk in one zone. */
  month: { key: 1, secret: 0.4, nodeGiB: 0.08, databaseGiB: 0.115 },
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

/** What is to be said of the list's age, if anything. */
export function priceAgeNote(now: number): string | undefined {
  const days = Math.floor((now - Date.parse(priceList.listedAt)) / 86_400_000);
  if (days <= oldAfterDays) return undefined;
  return `prices are ${days} days old (${priceList.region}, ${priceList.listedAt}); look them up again in lib/cost/prices.ts`;
}
