import { EpsilonError, exitCodes } from '../../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../../lib/errors/store-errors.ts';
import type { MapRunSettings } from '../../../lib/ports/workflows.ts';
import type { Journal } from '../journal/journal.ts';
import { type MapRunDetail, mapRunDetailOf } from '../map/map-run-detail.ts';
import type { Executions } from './executions.ts';
import type { Interpreter } from './interpreter.ts';

/** What map runs are read and changed with. */
interface Parts {
  readonly interpreter: Interpreter;
  readonly executions: Executions;
  readonly journal: Journal;
}

/** A run of a distributed Map with its counts; `MAP_RUN_NOT_FOUND`. */
export function describeMapRun({ interpreter, executions, journal }: Parts, arn: string): MapRunDetail {
  const record = journal.mapRun(arn);
  if (!record) throw new NotFound('MAP_RUN_NOT_FOUND', `There is no map run ${arn}.`);
  return mapRunDetailOf(record, executions.childrenOf(arn), interpreter.mapRuns.countsOf(arn));
}

/** Changes settings of a map run that is running: `MAP_RUN_NOT_FOUND`, `MAP_RUN_NOT_RUNNING`. */
export function changeMapRun(parts: Parts, arn: string, changes: Partial<MapRunSettings>): void {
  if (parts.interpreter.mapRuns.update(arn, changes)) return;
  const { status } = describeMapRun(parts, arn);
  throw new EpsilonError(
    'MAP_RUN_NOT_RUNNING',
    `Map run ${arn} is ${status}; only a running one is changed.`,
    { exitCode: exitCodes.conflict, details: { status } },
  );
}
