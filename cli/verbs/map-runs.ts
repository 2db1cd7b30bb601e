import type { Command } from 'commander';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { MapRun, MapRunSettings } from '../../lib/ports/workflows.ts';
import { type Output, toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import { findExecution, type Session, withControl } from '../session.ts';
import { table } from '../table.ts';

interface UpdateOptions {
  readonly maxConcurrency?: string;
  readonly toleratedFailureCount?: string;
  readonly toleratedFailurePercentage?: string;
}

/** The number of an option; throws `USAGE` naming it. */
function numberOf(option: string, text: string, { max, whole }: { max: number; whole: boolean }): number {
  const value = Number(text);
  const fits = text.trim() !== '' && value >= 0 && value <= max && (!whole || Number.isInteger(value));
  if (fits) return value;
  const most = Number.isFinite(max) && max !== Number.MAX_SAFE_INTEGER ? `from 0 to ${max}` : 'from 0 on';
  throw new EpsilonError('USAGE', `${option} ${text} is not a ${whole ? 'whole ' : ''}number ${most}.`);
}

function changesOf(options: UpdateOptions): Partial<MapRunSettings> {
  const { maxConcurrency, toleratedFailureCount, toleratedFailurePercentage } = options;
  const count = { max: Number.MAX_SAFE_INTEGER, whole: true };
  const changes = {
    ...(maxConcurrency === undefined
      ? {}
      : { maxConcurrency: numberOf('--max-concurrency', maxConcurrency, count) }),
    ...(toleratedFailureCount === undefined
      ? {}
      : { toleratedFailureCount: numberOf('--tolerated-failure-count', toleratedFailureCount, count) }),
    ...(toleratedFailurePercentage === undefined
      ? {}
      : {
          toleratedFailurePercentage: numberOf('--tolerated-failure-percentage', toleratedFailurePercentage, {
            max: 100,
            whole: false,
          }),
        }),
  };
  if (Object.keys(changes).length > 0) return changes;
  throw new EpsilonError(
    'USAGE',
    'Name what to change: --max-concurrency, --tolerated-failure-count or --tolerated-failure-percentage.',
  );
}

function tableOf(output: Output, runs: readonly MapRun[]): string {
  if (runs.length === 0) return 'No map runs.';
  const head = ['MAP RUN', 'STATUS', 'STARTED', 'AT ONCE', 'RUNNING', 'DONE', 'FAILED', 'OF'];
  const rows = runs.map(({ mapRunArn, status, startDate, maxConcurrency, children }) => [
    mapRunArn,
    status,
    toTheSecond(startDate),
    maxConcurrency,
    children.running,
    children.succeeded,
    children.failed + children.timedOut + children.aborted,
    children.total,
  ]);
  return table(output, head, rows);
}

async function update(session: Session, mapRunArn: string, options: UpdateOptions): Promise<void> {
  const changes = changesOf(options);
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    await control.workflows.updateMapRun(mapRunArn, changes);
    print(session.output, { mapRunArn, changes }, () => `Updated ${mapRunArn}`);
  });
}

/** `map-runs list`, `map-runs describe`, `map-runs update`. */
export function addMapRuns(program: Command, session: () => Session): void {
  const group = program.command('map-runs').description('list, show and change runs of distributed Maps');
  group
    .command('list')
    .description('list the map runs of an execution')
    .argument('<execution>', 'name, machine/name or ARN')
    .action((given: string) =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const { executionArn } = await findExecution(session(), control, given);
        const mapRuns = await control.workflows.mapRuns(executionArn);
        print(session().output, { mapRuns }, () => tableOf(session().output, mapRuns));
      }),
    );
  group
    .command('describe')
    .description('show one map run in full')
    .argument('<map-run>', 'its ARN, as "map-runs list" shows it')
    .action((mapRunArn: string) =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const mapRun = await control.workflows.describeMapRun(mapRunArn);
        print(session().output, { mapRun }, () => JSON.stringify(mapRun, null, 2));
      }),
    );
  group
    .command('update')
    .description('change how many children of a running map run go at once, and how many may fail')
    .argument('<map-run>', 'its ARN, as "map-runs list" shows it')
    .option('--max-concurrency <n>', 'children at once; 0: no limit of its own')
    .option('--tolerated-failure-count <n>', 'children that may fail')
    .option('--tolerated-failure-percentage <0-100>', 'share of the children that may fail')
    .action((mapRunArn: string, options: UpdateOptions) => update(session(), mapRunArn, options));
}
