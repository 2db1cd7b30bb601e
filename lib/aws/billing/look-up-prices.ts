import { DescribeSpotPriceHistoryCommand, EC2Client, type SpotPrice } from '@aws-sdk/client-ec2';
import { GetProductsCommand, PricingClient } from '@aws-sdk/client-pricing';
import type { InstancePrices } from '../../cost/prices.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { explained } from '../errors/service-errors.ts';
import { createClients } from '../wiring/clients.ts';

/** Where the Price List API answers; its prices are of all regions. */
const pricingRegion = 'us-east-1';

/** Days that EC2 keeps spot prices for. */
const spotDays = 90;

/** What tells one product from others that have the same instance type. */
const products = {
  instanceHour: {
    service: 'AmazonEC2',
    attributes: {
      operatingSystem: 'Linux',
      tenancy: 'Shared',
      preInstalledSw: 'NA',
      capacitystatus: 'Used',
      operation: 'RunInstances',
    },
  },
  databaseHour: {
    service: 'AmazonRDS',
    attributes: { databaseEngine: 'PostgreSQL', deploymentOption: 'Single-AZ' },
  },
  cacheHour: { service: 'AmazonElastiCache', attributes: { cacheEngine: 'Redis' } },
} as const;

type Kind = keyof typeof products;

interface Product {
  readonly terms?: {
    readonly OnDemand?: Readonly<
      Record<
        string,
        {
          readonly priceDimensions?: Readonly<
            Record<string, { readonly unit?: string; readonly pricePerUnit?: { readonly USD?: string } }>
          >;
        }
      >
    >;
  };
}

/** Hourly on-demand prices of a product, without those of nothing. */
function hoursOf(text: string): number[] {
  const { terms } = JSON.parse(text) as Product;
  return Object.values(terms?.OnDemand ?? {})
    .flatMap(({ priceDimensions = {} }) => Object.values(priceDimensions))
    .filter(({ unit = '' }) => /^h(ou)?rs?$/i.test(unit))
    .map(({ pricePerUnit }) => Number(pricePerUnit?.USD))
    .filter((usd) => usd > 0 && Number.isFinite(usd));
}

/** The one price of an instance type. Errors: PRICE_UNKNOWN, PRICE_AMBIGUOUS. */
async function hourOf(client: PricingClient, kind: Kind, type: string, region: string): Promise<number> {
  const { service, attributes } = products[kind];
  const wanted = { instanceType: type, regionCode: region, ...attributes };
  const { PriceList = [] } = await explained('pricing:GetProducts', type, () =>
    client.send(
      new GetProductsCommand({
        ServiceCode: service,
        FormatVersion: 'aws_v1',
        MaxResults: 100,
        Filters: Object.entries(wanted).map(([Field, Value]) => ({ Type: 'TERM_MATCH', Field, Value })),
      }),
    ),
  );
  const [hour, ...others] = new Set(
    (PriceList as readonly unknown[]).flatMap((product) => hoursOf(String(product))),
  );
  const refuse = (code: string, what: string) =>
    new EpsilonError(
      code,
      `The Price List API has ${what} of ${type} (${service}) in ${region}; nothing is changed.`,
      {
        exitCode: exitCodes.backend,
      },
    );
  if (hour === undefined) throw refuse('PRICE_UNKNOWN', 'no price');
  if (others.length > 0) throw refuse('PRICE_AMBIGUOUS', `${others.length + 1} prices`);
  return hour;
}

async function allOf(client: PricingClient, kind: Kind, types: readonly string[], region: string) {
  const found: Record<string, number> = {};
  for (const type of types) found[type] = await hourOf(client, kind, type, region);
  return found;
}

/** A price holds until the next one; of each day and zone the mean over the day. */
function dailyMeans(history: readonly SpotPrice[], now: number): Record<string, Record<string, number>> {
  const dayMs = 86_400_000;
  const byZone = Map.groupBy(history, ({ AvailabilityZone }) => AvailabilityZone ?? '');
  return Object.fromEntries(
    [...byZone].map(([zone, prices]) => {
      const ordered = prices
        .map(({ Timestamp, SpotPrice: usd }) => ({
          at: Timestamp?.getTime() ?? Number.NaN,
          usd: Number(usd),
        }))
        .filter(({ at, usd }) => Number.isFinite(at) && usd > 0)
        .sort((one, other) => one.at - other.at);
      const sums = new Map<string, { usd: number; ms: number }>();
      for (const [index, { at, usd }] of ordered.entries()) {
        const end = Math.min(ordered[index + 1]?.at ?? now, now);
        for (let from = at; from < end; ) {
          const midnight = (Math.floor(from / dayMs) + 1) * dayMs;
          const until = Math.min(end, midnight);
          const day = new Date(from).toISOString().slice(0, 10);
          const sum = sums.get(day) ?? { usd: 0, ms: 0 };
          sums.set(day, { usd: sum.usd + usd * (until - from), ms: sum.ms + until - from });
          from = until;
        }
      }
      const days = [...sums].map(([day, { usd, ms }]) => [day, Number((usd / ms).toFixed(5))] as const);
      return [zone, Object.fromEntries(days.sort(([one], [other]) => one.localeCompare(other)))];
    }),
  );
}

async function spotOf(client: EC2Client, type: string, now: number) {
  const history: SpotPrice[] = [];
  let NextToken: string | undefined;
  do {
    const page = await explained('ec2:DescribeSpotPriceHistory', type, () =>
      client.send(
        new DescribeSpotPriceHistoryCommand({
          InstanceTypes: [type as never],
          ProductDescriptions: ['Linux/UNIX'],
          StartTime: new Date(now - spotDays * 86_400_000),
          EndTime: new Date(now),
          ...(NextToken === undefined ? {} : { NextToken }),
        }),
      ),
    );
    history.push(...(page.SpotPriceHistory ?? []));
    NextToken = page.NextToken || undefined;
  } while (NextToken !== undefined);
  return dailyMeans(history, now);
}

/** What is looked up, and with whose credentials. */
export interface LookUp {
  readonly known: InstancePrices;
  /** Types whose prices on spot are wanted. */
  readonly spotTypes: readonly string[];
  readonly region: string;
  readonly profile?: string;
  readonly now: number;
}

/**
 * Every price of the list, looked up again: on-demand from the Price List API, the last 90 days on spot from EC2; older days of the list stay. Errors:
 * PRICE_UNKNOWN, PRICE_AMBIGUOUS, those of access-errors.ts.
 */
export async function lookUpPrices({
  known,
  spotTypes,
  region,
  profile,
  now,
}: LookUp): Promise<InstancePrices> {
  const clientsOf = (where: string) =>
    createClients({ region: where, ...(profile === undefined ? {} : { profile }) });
  const [pricingClients, ec2Clients] = [clientsOf(pricingRegion), clientsOf(region)];
  try {
    const pricing = pricingClients.of(PricingClient);
    const typesOf = (kind: Kind) => Object.keys(known[kind]);
    const spotHour: Record<string, Record<string, Record<string, number>>> = {};
    for (const type of spotTypes) {
      const before = known.spotHour[type] ?? {};
      const found = await spotOf(ec2Clients.of(EC2Client), type, now);
      spotHour[type] = Object.fromEntries(
        [...new Set([...Object.keys(before), ...Object.keys(found)])]
          .sort()
          .map((zone) => [zone, { ...before[zone], ...found[zone] }]),
      );
    }
    return {
      listedAt: new Date(now).toISOString().slice(0, 10),
      source: "AWS' Price List API and EC2's history of spot prices",
      instanceHour: await allOf(pricing, 'instanceHour', typesOf('instanceHour'), region),
      databaseHour: await allOf(pricing, 'databaseHour', typesOf('databaseHour'), region),
      cacheHour: await allOf(pricing, 'cacheHour', typesOf('cacheHour'), region),
      spotHour,
    };
  } finally {
    pricingClients.close();
    ec2Clients.close();
  }
}
