import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { trainingTypes } from '../../lib/cost/attempt-cost.ts';
import { dollars, percent } from '../../lib/cost/money.ts';
import { type InstancePrices, instancePrices, priceAgeNote, priceList } from '../../lib/cost/prices.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { print } from '../print.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

/** Where the list of instances' prices is, below the project. */
const listFile = join('lib', 'cost', 'instances.json');

const kinds = ['instanceHour', 'databaseHour', 'cacheHour'] as const;

const namesOf = (prices: InstancePrices) =>
  kinds.flatMap((kind) => Object.entries(prices[kind]).map(([name, usd]) => ({ kind, name, usd })));

/** Days of which a price on spot is listed, and the newest of them. */
function spotDays({ spotHour }: InstancePrices): { readonly days: number; readonly newest?: string } {
  const days = new Set(
    Object.values(spotHour).flatMap((zones) => Object.values(zones).flatMap((prices) => Object.keys(prices))),
  );
  const newest = [...days].sort().at(-1);
  return { days: days.size, ...(newest === undefined ? {} : { newest }) };
}

function show(session: Session): void {
  const old = priceAgeNote(session.clock.now());
  const spot = spotDays(instancePrices);
  const { listedAt, source } = instancePrices;
  print(
    session.output,
    {
      region: priceList.region,
      listedAt,
      source,
      prices: namesOf(instancePrices),
      spot,
      ...(old === undefined ? {} : { old }),
    },
    () =>
      [
        `Prices of an hour in ${priceList.region}, ${listedAt} (${source}):`,
        table(
          session.output,
          ['OF', 'ON-DEMAND'],
          namesOf(instancePrices).map(({ name, usd }) => [name, dollars(usd)]),
        ),
        spot.newest === undefined
          ? `No price on spot is listed; it is taken as ${percent(priceList.spotShare)} of on-demand.`
          : `Prices on spot: ${spot.days} days, up to ${spot.newest}.`,
        ...(old === undefined ? [] : [`note: ${old}`]),
      ].join('\n'),
  );
}

async function update(session: Session, { dryRun }: { readonly dryRun?: boolean }): Promise<void> {
  const { lookUp } = await import('../open-aws.ts');
  const { target, clock, projectDir } = session;
  const profile = target.kind === 'aws' ? target.profile : undefined;
  const found = await lookUp({
    known: instancePrices,
    spotTypes: trainingTypes,
    region: priceList.region,
    now: clock.now(),
    ...(profile === undefined ? {} : { profile }),
  });
  const before = new Map(namesOf(instancePrices).map(({ name, usd }) => [name, usd]));
  const changes = namesOf(found).map((one) => ({ ...one, before: before.get(one.name) ?? one.usd }));
  const file = join(projectDir, listFile);
  if (!dryRun)
    try {
      writeFileSync(`${file}.new`, `${JSON.stringify(found, null, 2)}\n`);
      renameSync(`${file}.new`, file);
    } catch (cause) {
      throw new EpsilonError('PRICES_UNWRITABLE', `${file} cannot be written: ${(cause as Error).message}.`, {
        cause: cause as Error,
      });
    }
  print(session.output, { changes, spot: spotDays(found), written: dryRun ? null : file }, () =>
    [
      table(
        session.output,
        ['OF', 'BEFORE', 'NOW', 'CHANGE'],
        changes.map(({ name, usd, before: was }) => [
          name,
          dollars(was),
          dollars(usd),
          percent(usd / was - 1),
        ]),
      ),
      `Prices on spot: ${spotDays(found).days} days.`,
      dryRun ? 'Nothing is written (--dry-run).' : `Written: ${file}; commit it, and deploy.`,
    ].join('\n'),
  );
}

/** `cost prices ...`. */
export function addCostPrices(cost: Command, session: () => Session): void {
  const prices = cost.command('prices').description('show the prices that costs are computed with');
  prices
    .command('show', { isDefault: true })
    .description('show the listed prices and how old they are')
    .action(() => show(session()));
  prices
    .command('update')
    .description(
      "look up the prices of instances again, with AWS credentials, and write them to the project's list",
    )
    .option('--dry-run', 'show what would change, and write nothing')
    .action((options: { dryRun?: boolean }) => update(session(), options));
}
