import type { Command } from 'commander';
import { forecastText } from '../../lib/capacity/forecast-text.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { type PlannedNight, planDueTenants } from '../../lib/operations/nights/plan-due.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { logicalDateOf } from '../../lib/training/nights/logical-date.ts';
import { toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import { type Session, withControl } from '../session.ts';
import { table } from '../table.ts';

interface ForecastOptions {
  readonly at?: string;
  readonly limit: string;
}

/** When the night begins that is forecast: as asked, else when the schedule fires next, else now. */
async function beginningOf(session: Session, control: OperatorApi, asked?: string): Promise<number> {
  if (asked !== undefined) {
    const at = Date.parse(asked);
    if (!Number.isNaN(at) && /^\d{4}-\d{2}-\d{2}T/.test(asked)) return at;
    throw new EpsilonError('USAGE', `--at ${asked} is not an ISO 8601 instant such as 2026-11-24T02:00:00Z.`);
  }
  const schedule = (await control.schedules.list()).find(({ name }) => name === 'nightly-training');
  return schedule?.enabled && schedule.next !== undefined ? Date.parse(schedule.next) : session.clock.now();
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 0 && limit <= 10_000) return limit;
  throw new EpsilonError('USAGE', `--limit ${text} is not a whole number from 0 to 10,000.`);
}

function textOf(
  session: Session,
  planned: PlannedNight,
  { at, limit }: { at: number; limit: number },
): string {
  const { forecast, due, maxConcurrency, limitedBy } = planned;
  const late = new Set(forecast.late);
  const rows = due
    .slice(0, limit)
    .map(({ tenantId, plan }, index) => [
      index + 1,
      tenantId,
      toTheSecond(plan.deadline),
      late.has(tenantId) ? 'late' : 'on time',
      toTheSecond(plan.spotUntil),
    ]);
  const rest = due.length - rows.length;
  return [
    `Night of ${toTheSecond(new Date(at).toISOString())}: ${forecastText(forecast)}`,
    `${maxConcurrency} at a time (limited by ${limitedBy}); durations of ${forecast.measured} of ${forecast.tenants} measured`,
    ...(rows.length === 0
      ? []
      : [table(session.output, ['#', 'TENANT', 'DEADLINE', 'EXPECTED', 'WAITS FOR SPOT UNTIL'], rows)]),
    ...(rest > 0 && limit > 0 ? [`and ${rest} more (--limit)`] : []),
  ].join('\n');
}

async function forecastNight(session: Session, options: ForecastOptions): Promise<void> {
  const limit = limitOf(options.limit);
  await withControl(session, { mode: 'read' }, async (control) => {
    const at = await beginningOf(session, control, options.at);
    const logicalDate = logicalDateOf(new Date(at).toISOString());
    const planned = await planDueTenants(control, { logicalDate, now: at });
    const { forecast, due, maxConcurrency, limitedBy, quarantined } = planned;
    const night = {
      beginsAt: new Date(at).toISOString(),
      logicalDate,
      maxConcurrency,
      limitedBy,
      quarantined,
    };
    print(session.output, { night: { ...night, forecast, tenants: due.slice(0, limit) } }, () =>
      textOf(session, planned, { at, limit }),
    );
  });
}

/** `forecast`. */
export function addForecast(program: Command, session: () => Session): void {
  program
    .command('forecast')
    .description('show what the next night is expected to have ready by its deadline, without starting it')
    .option('--at <time>', 'when it begins, ISO 8601; default: when its schedule fires next')
    .option('--limit <n>', 'how many tenants to list, in the order of the night', '20')
    .action((options: ForecastOptions) => forecastNight(session(), options));
}
