import type { Command } from 'commander';
import {
  type BillRecord,
  isYoung,
  type MonthForecast,
  monthForecast,
  mostGap,
  type Reconciliation,
  requestUsd,
  sumOf,
} from '../../lib/cost/bill.ts';
import { dollars, percent } from '../../lib/cost/money.ts';
import { priceAgeNote } from '../../lib/cost/prices.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { readWork } from '../../lib/operations/cost/read-work.ts';
import { monthBefore, readBill, reconcileSettled } from '../../lib/operations/cost/record-bill.ts';
import { toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import { type Session, withControl } from '../session.ts';
import { table } from '../table.ts';

interface BillOptions {
  readonly month?: string;
  readonly requests?: string;
  readonly budget?: string;
}

/** The spec's bound for a call of the API, US dollars. */
const callBound = 0.001;

function monthOf(text: string | undefined, now: number): string {
  const month = text ?? new Date(now).toISOString().slice(0, 7);
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) return month;
  throw new EpsilonError('USAGE', `--month ${month} is no month such as 2026-11.`);
}

function amountOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const amount = Number(text);
  if (text.trim() !== '' && amount > 0 && amount < 1e15) return amount;
  throw new EpsilonError('USAGE', `${option} ${text} is not a number above 0.`);
}

function partsText(session: Session, parts: Reconciliation): string[] {
  const { billUsd, estimateUsd, sharedUsd, idleUsd, unallocatedUsd, gapUsd, gapShare, days } = parts;
  if (days === 0) return ['No day is settled yet: a day is billed whole 48 hours after its end.'];
  const share = (usd: number) => (billUsd === 0 ? '' : percent(usd / billUsd));
  const rows = [
    ["tenants' training (estimate)", estimateUsd],
    ['shared by all tenants', sharedUsd],
    ['idle instances', idleUsd],
    ['unallocated (taxes, support, others)', unallocatedUsd],
    ['gap', gapUsd],
    ['bill', billUsd],
  ] as const;
  return [
    `Of ${days} settled days:`,
    table(
      session.output,
      ['PART', 'SUM', 'OF THE BILL'],
      rows.map(([part, usd]) => [part, dollars(usd), share(usd)]),
    ),
    gapShare > mostGap
      ? `note: ${percent(gapShare)} of the bill is not explained; at most ${percent(mostGap)} should be (docs/cost.md)`
      : `Explained but for ${percent(gapShare)}.`,
  ];
}

function forecastText(found: MonthForecast | undefined, budget: number | undefined): string[] {
  if (!found) return ['A month is forecast from three settled days on.'];
  const { month, expectedUsd, lowUsd, highUsd } = found;
  const verdict =
    budget === undefined
      ? ''
      : expectedUsd > budget
        ? `, above the budget of ${dollars(budget)}`
        : highUsd > budget
          ? `, perhaps above the budget of ${dollars(budget)}`
          : `, within the budget of ${dollars(budget)}`;
  return [
    `${month} will cost ${dollars(expectedUsd)} (${dollars(lowUsd)} to ${dollars(highUsd)})${verdict}.`,
  ];
}

/** What a call costs: what stands and serves, by the requests of the same days. */
function callText({ sharedUsd }: Reconciliation, requests: number | undefined): string[] {
  if (requests === undefined) return [];
  const usd = sharedUsd / requests;
  return [
    `A call costs ${dollars(usd)}, ${usd < callBound ? 'below' : 'not below'} ${dollars(callBound)}: shared costs of these days by ${requests} requests.`,
  ];
}

function daysText(session: Session, { days }: BillRecord, now: number): string {
  return table(
    session.output,
    ['DAY', 'BILLED', 'STATE'],
    days.map(({ day, lines, final }) => [
      day,
      dollars(sumOf(lines)),
      isYoung(day, now) ? 'grows' : final ? 'final' : 'settled',
    ]),
  );
}

async function bill(session: Session, options: BillOptions): Promise<void> {
  const now = session.clock.now();
  const month = monthOf(options.month, now);
  const [requests, budget] = [amountOf('--requests', options.requests), amountOf('--budget', options.budget)];
  await withControl(session, { mode: 'read' }, async (control) => {
    const record = await readBill(control, month);
    if (!record)
      throw new EpsilonError(
        'BILL_UNKNOWN',
        `Nothing of the bill of ${month} is on record; the schedule record-bill keeps it, where it is on (docs/cost.md).`,
      );
    const before = await readBill(control, monthBefore(month));
    const works = await readWork(
      control,
      record.days.map(({ day }) => day),
    );
    const reconciled = reconcileSettled(record.days, works, now);
    const forecast = monthForecast([...(before?.days ?? []), ...record.days], month, now);
    const asked = { at: record.askedAt, requests: record.requests, usd: record.requests * requestUsd };
    const days = record.days.map(({ day, final, lines }) => ({
      day,
      usd: sumOf(lines),
      final,
      young: isYoung(day, now),
    }));
    const old = priceAgeNote(now);
    const callUsd = requests === undefined ? {} : { callUsd: reconciled.sharedUsd / requests };
    print(
      session.output,
      {
        kind: 'billed',
        month,
        scope: record.scope ?? 'account',
        ...(old === undefined ? {} : { old }),
        asked,
        days,
        reconciled,
        forecast: forecast ?? null,
        ...callUsd,
      },
      () =>
        [
          `Bill of ${month}, amortized, as of ${toTheSecond(record.askedAt)}; asking for it cost ${dollars(asked.usd)} (${record.requests} requests):`,
          daysText(session, record, now),
          ...partsText(session, reconciled),
          ...callText(reconciled, requests),
          ...forecastText(forecast, budget),
          record.scope === 'tagged'
            ? `It is the bill of what is tagged epsilon:environment = ${control.config.environment}; what carries no tag is in no environment's.`
            : `It is the bill of the whole account, which is taken to have no other environment.`,
          ...(old === undefined ? [] : [`note: ${old}`]),
        ].join('\n'),
    );
  });
}

/** `cost bill`. */
export function addCostBill(cost: Command, session: () => Session): void {
  cost
    .command('bill')
    .description('show the bill of a month beside the estimate, and what the month will cost')
    .option('--month <month>', 'YYYY-MM; default: this one (UTC)')
    .option('--requests <n>', 'requests at the load balancer on the settled days, for what a call costs')
    .option('--budget <dollars>', 'what the month may cost')
    .action((options: BillOptions) => bill(session(), options));
}
