/**
 * List prices of AWS in us-west-2, US dollars, as its public price pages had them in 2025; written down on 2026-11-26 without
 * looking them up again. Spot prices move: a third of on-demand is assumed. Hours of a month: 730.
 */
export const hours = 730;

/** On-demand price of an instance hour. */
export const instanceHour: Readonly<Record<string, number>> = {
  't3.large': 0.0832,
  'c5.2xlarge': 0.34,
  'c5.4xlarge': 0.68,
};

/** Part of the on-demand price that spot is assumed to cost. */
export const spotShare = 1 / 3;

/** Price of an hour of a database, in two zones, and of a cache node. */
export const databaseHour: Readonly<Record<string, number>> = { 'db.t3.medium': 0.145 };
export const cacheHour: Readonly<Record<string, number>> = { 'cache.t3.medium': 0.068 };

/** Hours of things that cost while they exist. */
export const hour = { cluster: 0.1, natGateway: 0.045, publicAddress: 0.005, endpointZone: 0.01 } as const;

/** Months of things that cost while they exist. GiB: one of a node's disk, one of the database's in two zones. */
export const month = { key: 1, secret: 0.4, nodeGiB: 0.08, databaseGiB: 0.23 } as const;
