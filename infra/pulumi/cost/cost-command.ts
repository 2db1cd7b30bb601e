import { priceAgeNote, priceList } from '../../../lib/cost/prices.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { evaluate } from './evaluate.ts';
import { settingsOf } from './settings.ts';
import { type CostLine, standingCost } from './standing-cost.ts';

const environments = ['dev', 'staging', 'prod'] as const;

const help = `Usage: npm run cost -- [--json] [environment...]

Prints what each environment costs a month before anybody uses it: the resources that the
program of infra/pulumi would make, at the list prices in lib/cost/prices.ts. Asks nothing
of AWS. Without an environment: ${environments.join(', ')}.
`;

/** What one environment costs a month while nobody uses it, US dollars. */
interface EnvironmentCost {
  readonly environment: string;
  readonly region: string;
  readonly lines: readonly CostLine[];
  readonly sum: number;
  readonly budget: number;
}

async function costOf(environment: string): Promise<EnvironmentCost> {
  const config = settingsOf(environment);
  const lines = standingCost(await evaluate(config));
  const sum = lines.reduce((total, { usd }) => total + usd, 0);
  return { environment, region: config.region, lines, sum, budget: config.budget.monthlyUsd };
}

/** What serving a call may cost, US dollars. */
const callTarget = 0.001;

/** Calls a month from which on serving one costs less than the target: everything that stands, by the target. */
const callsFor = ({ sum }: EnvironmentCost) => Math.ceil(sum / callTarget);

/** A table of whole dollars: a row for each line, a column for each environment. */
function tableOf(costs: readonly EnvironmentCost[]): string {
  const whats = [...new Set(costs.flatMap(({ lines }) => lines.map(({ what }) => what)))];
  const dollars = (usd: number) => usd.toFixed(0);
  const row = (what: string, of: (cost: EnvironmentCost) => string) => [what, ...costs.map(of)];
  const usdOf = (what: string) => (cost: EnvironmentCost) =>
    dollars(cost.lines.find((line) => line.what === what)?.usd ?? 0);
  const rows = [
    row('US dollars a month', ({ environment }) => environment),
    ...whats.map((what) => row(what.replaceAll('`', ''), usdOf(what))),
    row('sum', ({ sum }) => dollars(sum)),
    row('budget', ({ budget }) => dollars(budget)),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths?.[0] ?? 0) : cell.padStart(widths?.[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

function notesOn(costs: readonly EnvironmentCost[], now: number): string {
  const { region, listedAt, source, spotShare } = priceList;
  const old = priceAgeNote(now);
  const elsewhere = costs.filter((cost) => cost.region !== region).map(({ environment }) => environment);
  return [
    `List prices of ${region}, ${listedAt} (${source}); spot assumed at ${Math.round(spotShare * 100)} % of on-demand.`,
    'Not in it: training, traffic, logs, objects and requests (docs/provision.md).',
    `Serving a call costs less than $${callTarget} from so many calls a month on (docs/cost.md): ${costs
      .map((cost) => `${cost.environment} ${callsFor(cost).toLocaleString('en-US')}`)
      .join(', ')}.`,
    ...(old === undefined ? [] : [`Note: ${old}.`]),
    ...(elsewhere.length > 0 ? [`In another region, with other prices: ${elsewhere.join(', ')}.`] : []),
  ].join('\n');
}

/** What `npm run cost` prints at `now` (milliseconds). Errors: `USAGE`, and those of the settings. */
export async function costCommand(args: readonly string[], now: number): Promise<string> {
  if (args.includes('--help') || args.includes('-h')) return help;
  const option = args.find((arg) => arg.startsWith('-') && arg !== '--json');
  if (option !== undefined)
    throw new EpsilonError('USAGE', `There is no option ${option}.\n\n${help.trimEnd()}`);
  const asked = args.filter((arg) => !arg.startsWith('-'));
  const costs: EnvironmentCost[] = [];
  // One after the other: the mocks of Pulumi's runtime are of the whole process.
  for (const environment of asked.length > 0 ? [...new Set(asked)] : environments)
    costs.push(await costOf(environment));
  if (args.includes('--json')) {
    const { region, listedAt } = priceList;
    const old = priceAgeNote(now);
    const prices = { region, listedAt, ...(old === undefined ? {} : { old }) };
    return `${JSON.stringify({ schemaVersion: 1, prices, environments: costs.map((cost) => ({ ...cost, callsForTarget: callsFor(cost) })) })}\n`;
  }
  return `${tableOf(costs)}\n\n${notesOn(costs, now)}\n`;
}
