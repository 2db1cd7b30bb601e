import type { Command } from 'commander';
import { instancePrices, priceAgeNote, priceList } from '../../lib/cost/prices.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import {
  learnedSettings,
  learnedText,
  planScaling,
  type ScalingPlan,
  type ScalingSettings,
} from '../../lib/scaling/decide.ts';
import { type Outlook, outlookOf, spansOf } from '../../lib/scaling/outlook.ts';
import { specFleet } from '../../lib/scaling/replay.ts';
import { censored } from '../../lib/scaling/usage.ts';
import { readLoadFile } from '../metrics-file.ts';
import { toTheSecond } from '../output.ts';
import { scalePage } from '../pages/scale-page.ts';
import { writePage } from '../pages/write-page.ts';
import { print } from '../print.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import { addScaleOverride } from './scale-override.ts';

interface PlanOptions {
  readonly metrics: string;
  readonly counter?: boolean;
  readonly perReplica?: string;
  readonly requestCores?: string;
  readonly nodeStart: string;
  readonly nodeType: string;
  readonly onDemand?: boolean;
  readonly shortToIdle: string;
  readonly min: string;
  readonly max: string;
  readonly html?: string;
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new EpsilonError('USAGE', `${option} ${text} is not a number from ${least} to ${most}.`);
}

/** Price of a node hour, US dollars. */
function nodeHour({ nodeType, onDemand }: PlanOptions): number {
  const prices = priceList.instanceHour;
  const price = Object.hasOwn(prices, nodeType) ? prices[nodeType] : undefined;
  if (price === undefined)
    throw new EpsilonError(
      'PRICE_UNKNOWN',
      `there is no price of an instance ${nodeType} (known: ${Object.keys(prices).join(', ')})`,
    );
  return onDemand ? price : price * priceList.spotShare;
}

function settingsOf(options: PlanOptions): ScalingSettings {
  return {
    fleet: {
      ...specFleet,
      minReplicas: numberOf('--min', options.min, 1, 1_000),
      maxReplicas: numberOf('--max', options.max, 1, 1_000),
      nodeStartSeconds: 60 * numberOf('--node-start', options.nodeStart, 0, 60),
    },
    economy: {
      // Without it nothing is planned; the forecast does not depend on it.
      perReplica:
        options.perReplica === undefined
          ? Number.MAX_VALUE
          : numberOf('--per-replica', options.perReplica, 1e-9, 1e15),
      nodeHour: nodeHour(options),
      shortToIdle: numberOf('--short-to-idle', options.shortToIdle, 1, 1e9),
    },
    ...(options.requestCores === undefined
      ? {}
      : { learn: { requestCores: numberOf('--request-cores', options.requestCores, 0.001, 1_000) } }),
  };
}

const short = (value: number) => Number(value.toPrecision(4));
const instant = (at: number) => new Date(at).toISOString();
const dollars = (value: number) => `$${value.toFixed(2)}`;

function planText(
  session: Session,
  plan: ScalingPlan,
  outlook: Outlook,
  settings: ScalingSettings,
): string[] {
  const { worth, floors, wouldBe } = plan;
  const verdict = worth
    ? `${worth.engaged ? 'The plan is followed' : 'The plan is not followed'}: in the last ${worth.days} days ${worth.because}.`
    : 'The plan is not followed: 8 days of history are needed to know whether it pays.';
  const spans = spansOf(worth?.engaged ? floors : wouldBe);
  return [
    '',
    verdict,
    worth?.engaged ? 'Least replicas:' : 'Least replicas, if it were followed:',
    table(
      session.output,
      ['FROM', 'UNTIL', 'LEAST REPLICAS'],
      spans.map(({ from, until, replicas }) => [
        toTheSecond(instant(from)),
        toTheSecond(instant(until)),
        replicas,
      ]),
    ),
    '',
    `Nodes of the next ${plan.told.hours.length} hours: ${dollars(outlook.plannedCosts)}, with the HPA alone ${dollars(outlook.aloneCosts)} (a node hour $${settings.economy.nodeHour.toFixed(4)}, ${priceList.region}, ${instancePrices.listedAt}).`,
    `Expected short: ${outlook.planned.shortMinutes} minutes, with the HPA alone ${outlook.alone.shortMinutes}.`,
  ];
}

function forecastText(session: Session, { told }: ScalingPlan): string[] {
  return [
    `Forecast of the next ${told.hours.length} hours' peaks (${told.basis}):`,
    table(
      session.output,
      ['HOUR', 'LOAD', 'LOW', 'HIGH'],
      told.hours.map(({ at, value, low, high }) => [
        toTheSecond(instant(at)),
        short(value),
        short(low),
        short(high),
      ]),
    ),
  ];
}

function documentOf(plan: ScalingPlan, outlook: Outlook | undefined): Record<string, unknown> {
  const { told, worth, floors, wouldBe } = plan;
  const spans = (list: ScalingPlan['floors']) =>
    spansOf(list).map(({ from, until, replicas }) => ({
      from: instant(from),
      until: instant(until),
      minReplicas: replicas,
    }));
  return {
    forecast: {
      basis: told.basis,
      hours: told.hours.map(({ at, value, low, high }) => ({
        at: instant(at),
        load: short(value),
        low: short(low),
        high: short(high),
      })),
    },
    ...(outlook
      ? { plan: { worth: worth ?? null, spans: spans(floors), ifFollowed: spans(wouldBe), outlook } }
      : {}),
  };
}

async function plan(session: Session, options: PlanOptions): Promise<void> {
  if (options.perReplica !== undefined && options.requestCores !== undefined)
    throw new EpsilonError('USAGE', '--per-replica says what --request-cores would learn: give one of them.');
  const given = settingsOf(options);
  const file = await readLoadFile(options.metrics, options.counter);
  const { settings, learned } = learnedSettings(given, file.readings, file.usage);
  const readings = censored(file.readings, file.usage, settings.fleet.maxReplicas);
  const planned = planScaling(readings, settings);
  const carries = options.perReplica !== undefined || learned !== undefined;
  const outlook = carries ? outlookOf(planned, readings, settings) : undefined;
  const now = session.clock.now();
  const priceNote = priceAgeNote(now);
  const notes = [
    ...planned.series.notes,
    ...(learned ? [learnedText(learned)] : []),
    ...(priceNote === undefined ? [] : [priceNote]),
  ];
  const html =
    options.html === undefined
      ? undefined
      : writePage(
          options.html,
          scalePage({
            file: options.metrics,
            madeAt: toTheSecond(instant(now)),
            plan: planned,
            ...(outlook ? { capacity: { settings, outlook } } : {}),
          }),
        );
  print(
    session.output,
    {
      notes,
      ...(learned ? { learned } : {}),
      ...documentOf(planned, outlook),
      ...(html === undefined ? {} : { html }),
    },
    () =>
      [
        ...notes.map((note) => `note: ${note}`),
        ...forecastText(session, planned),
        ...(outlook
          ? planText(session, planned, outlook, settings)
          : [
              '',
              'With --per-replica, the load that one replica carries at 100 % of its request, replicas are planned.',
            ]),
        ...(html === undefined ? [] : [`Written: ${html}`]),
      ].join('\n'),
  );
}

/** `scale ...`. */
export function addScale(program: Command, session: () => Session): void {
  const scale = program.command('scale').description('forecast load and plan capacity for it');
  scale
    .command('plan')
    .description('forecast the load of the next 48 hours from measurements, and plan replicas for it')
    .requiredOption('--metrics <file>', 'CSV with the columns timestamp and value, up to 28 days')
    .option('--counter', 'the values are those of a counter that only rises; plan for its rate')
    .option('--per-replica <load>', 'load that one replica carries at 100 % of its request')
    .option(
      '--request-cores <n>',
      'cores that a replica requests; its load is learned from the columns cores and ready of the file',
    )
    .option('--min <replicas>', 'minimum replicas of the HPA', String(specFleet.minReplicas))
    .option('--max <replicas>', 'maximum replicas of the HPA', String(specFleet.maxReplicas))
    .option('--node-start <minutes>', 'minutes from ordering a node until it takes pods', '5')
    .option('--node-type <type>', 'instance type of the nodes', 't3.large')
    .option('--on-demand', 'nodes are on-demand, not spot')
    .option('--short-to-idle <n>', 'idle replica hours that cost as much as one that is missing', '100')
    .option('--html <file>', 'also write a page with plots')
    .action((options: PlanOptions) => plan(session(), options));
  addScaleOverride(scale, session);
}
