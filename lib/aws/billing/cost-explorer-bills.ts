import {
  type CostExplorerClient,
  GetCostAndUsageCommand,
  type GetCostAndUsageCommandOutput,
} from '@aws-sdk/client-cost-explorer';
import type { ServiceConfig } from '../../config/service-config.ts';
import type { BillLine } from '../../cost/bill.ts';
import type { Bills } from '../../ports/bills.ts';
import { explained } from '../errors/service-errors.ts';

type Result = NonNullable<GetCostAndUsageCommandOutput['ResultsByTime']>[number];

function linesOf({ Groups = [] }: Result): BillLine[] {
  return Groups.map(({ Keys: [service = '', usage = ''] = [], Metrics = {} }) => ({
    service,
    usage,
    usd: Number(Metrics['AmortizedCost']?.Amount ?? 0),
    quantity: Number(Metrics['UsageQuantity']?.Amount ?? 0),
  }));
}

/** The cost allocation tag by which infrastructure tells environments apart; people activate it (docs/provision.md). */
const environmentTag = 'epsilon:environment';

/**
 * The bill of the account, or of what is tagged with one environment of several in it, from Cost Explorer: amortized, by the day, service and kind
 * of usage. Each page is a request that is paid for.
 */
export function costExplorerBills(
  client: CostExplorerClient,
  { billing, environment }: Pick<ServiceConfig, 'billing' | 'environment'>,
): Bills {
  const filter =
    billing.scope === 'tagged' ? { Filter: { Tags: { Key: environmentTag, Values: [environment] } } } : {};
  return {
    async daily(from, until) {
      const days = new Map<string, { final: boolean; lines: BillLine[] }>();
      let requests = 0;
      let NextPageToken: string | undefined;
      do {
        const answer = await explained('ce:GetCostAndUsage', `${from} to ${until}`, () =>
          client.send(
            new GetCostAndUsageCommand({
              TimePeriod: { Start: from, End: until },
              Granularity: 'DAILY',
              Metrics: ['AmortizedCost', 'UsageQuantity'],
              GroupBy: [
                { Type: 'DIMENSION', Key: 'SERVICE' },
                { Type: 'DIMENSION', Key: 'USAGE_TYPE' },
              ],
              ...filter,
              ...(NextPageToken === undefined ? {} : { NextPageToken }),
            }),
          ),
        );
        requests += 1;
        for (const result of answer.ResultsByTime ?? []) {
          const day = result.TimePeriod?.Start ?? '';
          const known = days.get(day) ?? { final: result.Estimated === false, lines: [] };
          days.set(day, { ...known, lines: [...known.lines, ...linesOf(result)] });
        }
        NextPageToken = answer.NextPageToken;
      } while (NextPageToken !== undefined);
      return {
        requests,
        days: [...days]
          .sort(([one], [other]) => one.localeCompare(other))
          .map(([day, of]) => ({ day, ...of })),
      };
    },
  };
}
