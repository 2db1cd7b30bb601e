import { CostExplorerClient } from '@aws-sdk/client-cost-explorer';
import { costExplorerBills } from '../billing/cost-explorer-bills.ts';
import type { AwsBase } from './base.ts';

/** The account's bill. */
export const wireBills = ({ clients, config }: AwsBase) => ({
  bills: costExplorerBills(clients.of(CostExplorerClient), config),
});
