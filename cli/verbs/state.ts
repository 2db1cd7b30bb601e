import type { Command } from 'commander';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { type Forecast, forecastOf, measureState, type StateUsage } from '../../local/state/usage.ts';
import { openStateDirectory } from '../../local/stores/state-directory.ts';
import { bytesText } from '../bytes-text.ts';
import type { Output } from '../output.ts';
import { print } from '../print.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

/** When the disk will be full, as a sentence. */
export function forecastText({ free }: Pick<StateUsage, 'free'>, forecast: Forecast | undefined): string {
  if (!forecast) return `${bytesText(free)} are free.`;
  const { bytesPerDay, days, date } = forecast;
  return `${bytesText(free)} are free; at ${bytesText(bytesPerDay)} a day the disk is full ${days === 0 ? 'today' : `in ${days} ${days === 1 ? 'day' : 'days'}, on ${date}`}.`;
}

function textOf(output: Output, usage: StateUsage, forecast: Forecast | undefined): string {
  const parts = table(
    output,
    ['WHAT', 'SIZE', 'FILES'],
    usage.parts.map(({ part, bytes, files }) => [part, bytesText(bytes), files]),
  );
  const tenants = table(
    output,
    ['TENANT', 'SIZE', 'RUNS'],
    usage.tenants.map(({ tenantId, bytes, runs }) => [tenantId, bytesText(bytes), runs]),
  );
  return `${usage.path}: ${bytesText(usage.bytes)}. ${forecastText(usage, forecast)}\n\n${parts}\n\n${tenants}`;
}

/** `epsilon state` */
export function addState(program: Command, session: () => Session): void {
  program
    .command('state')
    .description('show what takes up space in the state directory, and when its disk will be full')
    .action(() => {
      const { output, clock, target } = session();
      if (target.kind !== 'local')
        throw new EpsilonError(
          'USAGE',
          '"state" is about the state directory of this host (--target local).',
        );
      const { path } = openStateDirectory(target.stateDir, 'read');
      const usage = measureState(path);
      const forecast = forecastOf(usage, clock.now());
      print(output, { state: usage, forecast: forecast ?? null }, () => textOf(output, usage, forecast));
    });
}
