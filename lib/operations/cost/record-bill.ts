import { z } from 'zod';
import type { ServiceConfig } from '../../config/service-config.ts';
import { type BilledDay, type BillRecord, isYoung, type Reconciliation, reconcile } from '../../cost/bill.ts';
import { ledgerOf, type RunWork } from '../../cost/ledger.ts';
import type { Bills } from '../../ports/bills.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { readRecord } from '../objects/read-record.ts';

/** Where months of the bill are kept. */
interface BillPlace {
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly config: Pick<ServiceConfig, 'dataBucket' | 'billing'>;
}

/** What the bill is kept with. */
interface BillPorts extends BillPlace {
  readonly objects: Pick<ObjectStore, 'get' | 'put'>;
  readonly bills: Bills;
}

const recordSchema = z.object({
  month: z.string().regex(/^\d{4}-\d{2}$/),
  askedAt: z.iso.datetime(),
  requests: z.int().min(0),
  scope: z.enum(['account', 'tagged']).optional(),
  days: z.array(
    z.object({
      day: z.iso.date(),
      final: z.boolean(),
      lines: z.array(
        z.object({ service: z.string(), usage: z.string(), usd: z.number(), quantity: z.number() }),
      ),
    }),
  ),
});

const placeOf = ({ config }: BillPlace, month: string) =>
  `s3://${config.dataBucket}/cost/billed/${month}.json`;

/** A month of the bill; undefined while nothing of it is known. Error: `BILL_INVALID`. */
export const readBill = (ports: BillPlace, month: string): Promise<BillRecord | undefined> =>
  readRecord(ports, {
    uri: placeOf(ports, month),
    schema: recordSchema,
    code: 'BILL_INVALID',
    what: 'month of a bill',
  });

const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);

/** The month before one. */
export const monthBefore = (month: string) => dayOf(Date.parse(`${month}-01T00:00:00Z`) - 1).slice(0, 7);

/** A month as it is kept; undefined where it is the bill of something else than is asked for now. */
async function readOwn(ports: BillPlace, month: string): Promise<BillRecord | undefined> {
  const found = await readBill(ports, month);
  return (found?.scope ?? 'account') === ports.config.billing.scope ? found : undefined;
}

/** What is asked for: the running month, and the one before while it may change. Closed months are never asked for again. */
async function firstDay(ports: BillPorts, today: string): Promise<string> {
  const month = today.slice(0, 7);
  const before = await readOwn(ports, monthBefore(month));
  const closed = before !== undefined && before.days.length > 0 && before.days.every(({ final }) => final);
  return `${closed ? month : monthBefore(month)}-01`;
}

/** Asks for the bill once and keeps its months. What was asked for today already is not asked again. */
export async function recordBill(ports: BillPorts, now: number): Promise<BillRecord[]> {
  const today = dayOf(now);
  const month = today.slice(0, 7);
  const known = await readOwn(ports, month);
  if (known?.askedAt.startsWith(today)) return [known];
  const { days, requests } = await ports.bills.daily(await firstDay(ports, today), dayOf(now + 86_400_000));
  const byMonth = Map.groupBy(days, ({ day }) => day.slice(0, 7));
  const records: BillRecord[] = [];
  for (const [of, own] of byMonth.set(month, byMonth.get(month) ?? [])) {
    const before = await readBill(ports, of);
    const asked = (before?.requests ?? 0) + (of === month ? requests : 0);
    const { scope } = ports.config.billing;
    const record = { month: of, askedAt: new Date(now).toISOString(), requests: asked, scope, days: own };
    await ports.objects.put(placeOf(ports, of), JSON.stringify(record), { contentType: 'application/json' });
    records.push(record);
  }
  return records;
}

/** Holds the estimate beside the bill on the days that are settled. */
export function reconcileSettled(
  days: readonly BilledDay[],
  works: readonly RunWork[],
  now: number,
): Reconciliation {
  const settled = days.filter(({ day }) => !isYoung(day, now));
  const known = new Set(settled.map(({ day }) => day));
  // Storage goes on costing; beside the bill counts what it had cost by the end of its last day.
  const end = Math.max(...settled.map(({ day }) => Date.parse(`${day}T00:00:00Z`) + 86_400_000), 0);
  const { total } = ledgerOf(
    works.filter(({ run }) => known.has(run.logicalDate)),
    'day',
    Math.min(now, end),
  );
  return reconcile(settled, total);
}
