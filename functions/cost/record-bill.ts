import { z } from 'zod';
import { mostGap, requestUsd } from '../../lib/cost/bill.ts';
import { priceAgeNote } from '../../lib/cost/prices.ts';
import { unusualCosts } from '../../lib/cost/unusual.ts';
import { awsBills, awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { daysUntil, readWork } from '../../lib/operations/cost/read-work.ts';
import { reconcileSettled, recordBill } from '../../lib/operations/cost/record-bill.ts';

/** The schedule's event; nothing of it is used. */
const input = z.object({});

const aws = [awsStores, awsBills, awsObjects] as const;

/** Days of runs that are held beside the bill. */
const days = 28;

/** Keeps the bill, holds the estimate beside it, and counts what people are to be told: a gap, a dear tenant, old prices. */
export function createRecordBill({ runs, bills, objects, config, clock, log, metrics }: Wired<typeof aws>) {
  return async (_: z.output<typeof input>) => {
    const now = clock.now();
    const records = await recordBill({ bills, objects, config }, now);
    const works = await readWork({ runs }, daysUntil(new Date(now).toISOString().slice(0, 10), days));
    const first = daysUntil(new Date(now).toISOString().slice(0, 10), days)[0] ?? '';
    const billed = records.flatMap((record) => record.days).filter(({ day }) => day >= first);
    const reconciled = reconcileSettled(billed, works, now);
    const unusual = unusualCosts(works, now);
    const old = priceAgeNote(now);
    if (reconciled.days > 0 && reconciled.gapShare > mostGap) metrics.count('BillGaps', 1);
    if (unusual.length > 0) metrics.count('TenantCostsUnusual', unusual.length);
    if (old !== undefined) metrics.count('PricesOld', 1);
    const asked = records.map(({ month, requests }) => ({ month, requests, usd: requests * requestUsd }));
    log.info('bill recorded', { asked, ...reconciled, unusual, ...(old === undefined ? {} : { old }) });
    return { asked, reconciled, unusual, ...(old === undefined ? {} : { old }) };
  };
}

export const handler = defineHandler({ name: 'recordBill', input, aws, create: createRecordBill });
