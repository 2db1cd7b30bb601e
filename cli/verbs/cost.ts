import type { Command } from 'commander';
import { commitmentsFor } from '../../lib/cost/commitments.ts';
import { type Ledger, type LedgerKey, type LedgerLine, ledgerOf } from '../../lib/cost/ledger.ts';
import { dollars, percent } from '../../lib/cost/money.ts';
import { instancePrices, priceAgeNote, priceList } from '../../lib/cost/prices.ts';
import { type UnusualCost, unusualCosts } from '../../lib/cost/unusual.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { daysUntil, readWork } from '../../lib/operations/cost/read-work.ts';
import { hourly } from '../../lib/scaling/hourly-series.ts';
import { readMetricsFile } from '../metrics-file.ts';
import { print } from '../print.ts';
import { type Session, withControl } from '../session.ts';
import { table } from '../table.ts';
import { wholeNumber } from '../whole-number.ts';
import { addCostBill } from './cost-bill.ts';
import { addCostPrices } from './cost-prices.ts';

interface CostOptions {
  readonly by: string;
  readonly days: string;
  readonly until?: string;
  readonly tenant?: string;
}

const keys: readonly LedgerKey[] = ['tenant', 'stage', 'day'];

/** Days of a month, on average. */
const daysOfMonth = 365.25 / 12;

/** The spec's band of what spot saves. */
const savedBand = { least: 0.6, most: 0.7 } as const;

function keyOf(text: string): LedgerKey {
  const key = keys.find((one) => one === text);
  if (key !== undefined) return key;
  throw new EpsilonError('USAGE', `--by ${text} is none of: ${keys.join(', ')}.`);
}

function dayOf(text: string | undefined, now: number): string {
  if (text === undefined) return new Date(now).toISOString().slice(0, 10);
  const at = Date.parse(`${text}T00:00:00Z`);
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(at) && new Date(at).toISOString().startsWith(text))
    return text;
  throw new EpsilonError('USAGE', `--until ${text} is no date such as 2026-11-24.`);
}

const rowOf = ({
  key,
  runs,
  attempts,
  vcpuHours,
  gibHours,
  jobsUsd,
  storageUsd,
  controlUsd,
  usd,
  repeatedUsd,
}: LedgerLine) => [
  key,
  runs,
  attempts,
  Number(vcpuHours.toPrecision(3)),
  Number(gibHours.toPrecision(3)),
  dollars(jobsUsd),
  dollars(repeatedUsd),
  dollars(storageUsd),
  dollars(controlUsd),
  dollars(usd),
];

function spotText({ spot, equivalent }: Ledger): string[] {
  if (!spot) return [];
  const { savedShare, onDemandUsd, paidUsd } = spot;
  const { least, most } = savedBand;
  const verdict =
    savedShare < least ? ', which is less than' : savedShare > most ? ', which is more than' : ', within';
  return [
    `Spot ${equivalent ? 'would have saved' : 'saved'} ${percent(savedShare)}${verdict} the expected ${100 * least} to ${100 * most} %: the useful work once on-demand is ${dollars(onDemandUsd)}, paid with all repeats was ${dollars(paidUsd)}.`,
  ];
}

/** What of the sum is not known, or known by an assumption alone. */
function doubtsText({ assumedUsd, unmeasured }: Ledger): string[] {
  return [
    ...(assumedUsd > 0
      ? [
          `note: ${dollars(assumedUsd)} of it is spot at an assumed ${Math.round(100 * priceList.spotShare)} % of on-demand: no price of that type and day is listed`,
        ]
      : []),
    ...(unmeasured > 0
      ? [
          `note: ${unmeasured} ${unmeasured === 1 ? 'attempt does' : 'attempts do'} not say what they left in storage (outputBytes, docs/job-contract.md); that is not in it`,
        ]
      : []),
  ];
}

function textOf(session: Session, ledger: Ledger, days: readonly string[], month: number): string {
  const { by, lines, total } = ledger;
  const old = priceAgeNote(session.clock.now());
  return [
    `Training from ${days[0]} to ${days.at(-1)}, ${ledger.equivalent ? 'on this host, at the price of the same on AWS' : 'on AWS'} (estimate):`,
    table(
      session.output,
      [
        by.toUpperCase(),
        'RUNS',
        'ATTEMPTS',
        'VCPU H',
        'GIB H',
        'JOBS',
        'REPEATED',
        'STORAGE',
        'CONTROL',
        'SUM',
      ],
      [...lines, ...(lines.length > 1 ? [total] : [])].map(rowOf),
    ),
    ...spotText(ledger),
    ...(total.runs > 0
      ? [`A run costs ${dollars(total.usd / total.runs)}; at this rate a month costs ${dollars(month)}.`]
      : []),
    `List prices of ${priceList.region}, ${instancePrices.listedAt}; spot at the price of its type, zone and day.`,
    ...doubtsText(ledger),
    ...(old === undefined ? [] : [`note: ${old}`]),
  ].join('\n');
}

const unusualText = ({ tenantId, runId, usd, usualUsd }: UnusualCost) =>
  `note: run ${runId} of ${tenantId} cost ${dollars(usd)}, its earlier runs ${dollars(usualUsd)}`;

async function cost(session: Session, options: CostOptions): Promise<void> {
  const by = keyOf(options.by);
  const days = daysUntil(dayOf(options.until, session.clock.now()), wholeNumber('--days', options.days, 366));
  await withControl(session, { mode: 'read' }, async (control) => {
    if (options.tenant !== undefined && !(await control.tenants.get(options.tenant)))
      throw new EpsilonError(
        'TENANT_NOT_FOUND',
        `There is no tenant ${options.tenant} ("${session.name} tenants list").`,
      );
    const works = await readWork(control, days, options.tenant);
    const ledger = ledgerOf(works, by, session.clock.now());
    // Days before the first run say nothing about a month.
    const dates = works.map(({ run }) => run.logicalDate).sort();
    const counted = days.length - Math.max(0, days.indexOf(dates[0] ?? ''));
    const month = (ledger.total.usd / counted) * daysOfMonth;
    const { region, spotShare } = priceList;
    const old = priceAgeNote(session.clock.now());
    const prices = {
      region,
      listedAt: instancePrices.listedAt,
      spotShare,
      ...(old === undefined ? {} : { old }),
    };
    const unusual = unusualCosts(works, session.clock.now());
    print(
      session.output,
      {
        kind: ledger.equivalent ? 'equivalent' : 'estimate',
        from: days[0],
        until: days.at(-1),
        prices,
        ...ledger,
        monthUsd: month,
        unusual,
      },
      () => [textOf(session, ledger, days, month), ...unusual.map(unusualText)].join('\n'),
    );
  });
}

interface CommitOptions {
  readonly usage: string;
  readonly committed: string;
}

/** One-year commitments for recorded usage, cheapest first in what they save. */
async function commit(session: Session, options: CommitOptions): Promise<void> {
  const committed = Number(options.committed);
  if (options.committed.trim() === '' || !(committed >= 0 && committed < 1e9))
    throw new EpsilonError('USAGE', `--committed ${options.committed} is not a number of dollars from 0.`);
  const { values, notes } = hourly(await readMetricsFile(options.usage), 'mean');
  const commitments = commitmentsFor([...values], committed);
  const old = priceAgeNote(session.clock.now());
  const all = [...notes, ...(old === undefined ? [] : [old])];
  print(session.output, { hours: values.length, committed, notes: all, commitments }, () =>
    [
      ...all.map((note) => `note: ${note}`),
      `One-year commitments for ${values.length} recorded hours, beyond ${dollars(committed)} an hour committed already:`,
      table(
        session.output,
        [
          'KIND',
          'SAVES',
          'COMMIT PER H',
          'SAVED PER MONTH',
          'USED',
          'COVERS',
          'EVEN AT',
          'AT -30 % PER MONTH',
        ],
        commitments.map((one) => [
          one.kind,
          percent(one.discount),
          dollars(one.hourly),
          dollars(one.savedMonthly),
          percent(one.utilisation),
          percent(one.coverage),
          percent(one.breakEven),
          one.regretMonthly > 0
            ? `costs ${dollars(one.regretMonthly)}`
            : `saves ${dollars(-one.regretMonthly)}`,
        ]),
      ),
      'Kinds are alternatives for instances, and apart for databases and caches. Usage on spot cannot be committed. Nothing is bought by this.',
    ].join('\n'),
  );
}

/** `cost`. */
export function addCost(program: Command, session: () => Session): void {
  const verb = program
    .command('cost')
    .description('show what training cost, by tenant, stage or day')
    .option('--by <key>', 'tenant, stage or day', 'tenant')
    .option('--days <n>', 'number of days', '7')
    .option('--until <date>', 'the last day, YYYY-MM-DD; default: today (UTC)')
    .option('--tenant <id>', 'only of this tenant')
    .action((options: CostOptions) => cost(session(), options));
  verb
    .command('commit')
    .description('show which one-year commitment the recorded usage would have paid for')
    .requiredOption('--usage <file>', 'CSV with the columns timestamp and value: dollars an hour, on-demand')
    .option('--committed <dollars>', 'dollars an hour, at on-demand prices, that are committed already', '0')
    .action((options: CommitOptions) => commit(session(), options));
  addCostBill(verb, session);
  addCostPrices(verb, session);
}
