import type { MapRunSettings } from '../../../lib/ports/workflows.ts';
import { statesErrors } from '../model/failure.ts';
import type { Json } from '../model/json.ts';
import { mapRunArn } from '../model/names.ts';
import type { ExecutionRecord, MapRunRecord } from '../model/records.ts';
import type { LiveExecution, Thread } from '../threads/live-execution.ts';
import {
  type Limits,
  type MapRunEnd,
  type MapRuns,
  type MapSettings,
  type StateContext,
  uuidFrom,
} from '../threads/state-context.ts';

/** How the children of a map run stand. */
export interface MapRunCounts {
  pending: number;
  running: number;
  succeeded: number;
  failed: number;
  timedOut: number;
  aborted: number;
}

interface LiveMapRun {
  readonly record: MapRunRecord;
  readonly thread: Thread;
  readonly inputs: readonly Json[];
  readonly counts: MapRunCounts;
  /** JSON texts of the outputs, by index; empty where a ResultWriter reads them from the journal. */
  readonly outputs: (string | undefined)[];
  /** Lowest index that may still have to be started, and those from there on that were. */
  next: number;
  readonly seen: Set<number>;
  /** Children started since the journal was last written. */
  fresh: number;
}

/**
 * Children that a run starts between two writes of the journal. What ends at once then gives way to the next ones, however
 * wide the run is; those that take long still reach its width.
 */
const portion = 250;

/** Starts children of distributed Maps; given by the engine. */
export interface MapChildStarter {
  startChild(run: MapRunRecord, parent: LiveExecution, index: number, input: string): void;
  stop(arn: string, cause: string): void;
  /** Children of a run in order of their index, read as they are asked for. */
  childrenOf(mapRunArn: string): Iterable<ExecutionRecord>;
  /** Inputs of a run's children, from the journal. */
  readInputs(mapRunArn: string): Json[];
}

/** Runs of distributed Maps that are not over. */
export class ActiveMapRuns implements MapRuns {
  readonly #context: StateContext;
  readonly #runs = new Map<string, LiveMapRun>();
  /** Inputs of runs whose end is not in the journal yet. */
  readonly #ended = new Map<string, readonly Json[]>();
  starter: MapChildStarter | undefined;

  constructor(context: StateContext) {
    this.#context = context;
  }

  /** An ARN for a run of the thread's Map. */
  name({ state, execution }: Thread): string {
    const label = state.type === 'Map' ? state.label : '';
    return mapRunArn(execution.record.machine, label, uuidFrom(this.#context.ids.traceId()));
  }

  #record(
    { id, state, execution }: Thread,
    run: Pick<MapRunRecord, 'arn' | 'serial' | 'status'> & MapSettings,
    inputs: readonly Json[],
  ): MapRunRecord {
    return {
      execution: execution.record.key,
      thread: id,
      label: state.type === 'Map' ? state.label : '',
      machine: execution.record.machine,
      block: state.type === 'Map' ? state.processor.path : '',
      startDate: this.#context.clock.now(),
      ...run,
      total: inputs.length,
      redriveCount: 0,
      inputs: JSON.stringify(inputs),
    };
  }

  /** Records a run that failed before it had children. */
  refuse(thread: Thread, arn: string, settings: MapSettings): void {
    const record = this.#record(thread, { arn, serial: 0, status: 'FAILED', ...settings }, []);
    this.#context.saveMapRun({ ...record, stopDate: this.#context.clock.now() });
  }

  /** Begins a run. */
  start(thread: Thread, arn: string, inputs: readonly Json[], settings: MapSettings): void {
    const serial = thread.execution.nextNumber();
    thread.task = { serial, submitted: true, arguments: '{}', timeoutAt: 0, mapRunArn: arn };
    const record = this.#record(thread, { arn, serial, status: 'RUNNING', ...settings }, inputs);
    this.#begin({
      record,
      thread,
      inputs,
      counts: noCounts(inputs.length),
      outputs: [],
      next: 0,
      seen: new Set(),
      fresh: 0,
    });
  }

  #begin(run: LiveMapRun): void {
    this.#runs.set(run.record.arn, run);
    this.#context.saveMapRun(run.record);
    // Children that could not be redriven count again, and may already be too many.
    this.#goOn(run);
  }

  /**
   * Changes settings of a run that is not over; false when there is none. A run that has more failures than it tolerates now
   * fails; a wider one starts children at once.
   */
  update(arn: string, changes: Partial<MapRunSettings>): boolean {
    const run = this.#runs.get(arn);
    if (!run) return false;
    const { record } = run;
    const { maxConcurrency, toleratedFailureCount, toleratedFailurePercentage } = changes;
    if (maxConcurrency !== undefined) record.maxConcurrency = widthOf(maxConcurrency, this.#context.limits);
    record.toleratedCount = toleratedFailureCount ?? record.toleratedCount;
    record.toleratedPercentage = toleratedFailurePercentage ?? record.toleratedPercentage;
    this.#context.saveMapRun(record);
    this.#goOn(run);
    return true;
  }

  /** Fails a run with too many failures; otherwise starts what may start, and ends a run that is done. */
  #goOn(run: LiveMapRun): void {
    if (this.#exceeds(run)) {
      this.#fail(run);
      return;
    }
    this.#pump(run);
    this.#finishIfDone(run);
  }

  /** Takes a run up again after a restart or a redrive, from what its children's records say. */
  restore(record: MapRunRecord, thread: Thread, again: ReadonlySet<string> = new Set()): void {
    const inputs = JSON.parse(record.inputs) as Json[];
    const run: LiveMapRun = {
      record,
      thread,
      inputs,
      counts: noCounts(inputs.length),
      outputs: [],
      next: 0,
      seen: new Set(),
      fresh: 0,
    };
    for (const child of this.starter?.childrenOf(record.arn) ?? []) {
      const index = child.mapIndex ?? 0;
      run.seen.add(index);
      run.counts.pending -= 1;
      if (again.has(child.arn) || child.status === 'RUNNING') run.counts.running += 1;
      else this.#count(run, child);
    }
    this.#begin(run);
  }

  #pump(run: LiveMapRun): void {
    while (run.counts.pending > 0 && run.counts.running < run.record.maxConcurrency && run.fresh < portion) {
      while (run.seen.delete(run.next)) run.next += 1;
      const index = run.next;
      run.next += 1;
      run.counts.pending -= 1;
      run.counts.running += 1;
      if (run.fresh === 0) this.#context.afterCommit(() => this.#nextPortion(run));
      run.fresh += 1;
      this.starter?.startChild(run.record, run.thread.execution, index, JSON.stringify(run.inputs[index]));
    }
  }

  #nextPortion(run: LiveMapRun): void {
    run.fresh = 0;
    if (this.#runs.get(run.record.arn) === run) this.#pump(run);
  }

  #count(run: LiveMapRun, child: ExecutionRecord): void {
    if (child.status === 'SUCCEEDED') {
      run.counts.succeeded += 1;
      if (!hasWriter(run.thread)) run.outputs[child.mapIndex ?? 0] = child.output ?? 'null';
    } else if (child.status === 'ABORTED') run.counts.aborted += 1;
    else if (child.status === 'TIMED_OUT') run.counts.timedOut += 1;
    else run.counts.failed += 1;
  }

  /** A child ended. */
  childEnded(child: ExecutionRecord): void {
    const run = child.mapRunArn === undefined ? undefined : this.#runs.get(child.mapRunArn);
    if (!run) return;
    run.counts.running -= 1;
    this.#count(run, child);
    this.#goOn(run);
  }

  #failures({ counts }: LiveMapRun): number {
    return counts.failed + counts.timedOut + counts.aborted;
  }

  #exceeds(run: LiveMapRun): boolean {
    const failures = this.#failures(run);
    if (failures === 0) return false;
    const { toleratedCount, toleratedPercentage, total } = run.record;
    const percentage = (failures * 100) / total;
    // As the service: either threshold that is set fails the run when exceeded; without any, no failure is tolerated.
    if (toleratedCount === 0) return percentage > toleratedPercentage;
    if (toleratedPercentage === 0) return failures > toleratedCount;
    return failures > toleratedCount || percentage > toleratedPercentage;
  }

  #close(run: LiveMapRun, status: MapRunRecord['status']): void {
    run.record.status = status;
    run.record.stopDate = this.#context.clock.now();
    this.#runs.delete(run.record.arn);
    this.#context.saveMapRun(run.record);
    // Its state takes the results up before the journal has the record, when children end in the turn they began in.
    this.#ended.set(run.record.arn, run.inputs);
    this.#context.afterCommit(() => this.#ended.delete(run.record.arn));
  }

  /** Children and their inputs of a run that ended. */
  endOf(arn: string): MapRunEnd {
    const inputs = this.#ended.get(arn) ?? this.starter?.readInputs(arn) ?? [];
    return { children: this.starter?.childrenOf(arn) ?? [], inputs };
  }

  #fail(run: LiveMapRun): void {
    this.#close(run, 'FAILED');
    this.#stopChildren(run.record.arn, 'The map run exceeded its tolerated failure threshold.');
    this.#context.settle(run.thread, run.record.serial, {
      ok: false,
      error: statesErrors.tolerated,
      cause: `${this.#failures(run)} of ${run.record.total} items failed: the specified tolerated failure threshold was exceeded.`,
    });
  }

  #stopChildren(arn: string, cause: string): void {
    for (const live of [...this.#context.live.values()])
      if (live.record.mapRunArn === arn) this.starter?.stop(live.record.arn, cause);
  }

  #finishIfDone(run: LiveMapRun): void {
    if (run.counts.running > 0 || run.counts.pending > 0) return;
    this.#close(run, 'SUCCEEDED');
    const results = run.outputs.filter((output) => output !== undefined);
    this.#context.settle(run.thread, run.record.serial, { ok: true, output: `[${results.join(',')}]` });
  }

  /** Stops a run whose Map is not waited for any more. */
  abort(arn: string): void {
    const run = this.#runs.get(arn);
    if (!run) return;
    this.#close(run, 'ABORTED');
    this.#stopChildren(arn, 'The map run was stopped.');
  }

  /** Counts of a run that is not over. */
  countsOf(arn: string): MapRunCounts | undefined {
    return this.#runs.get(arn)?.counts;
  }
}

function noCounts(pending: number): MapRunCounts {
  return { pending, running: 0, succeeded: 0, failed: 0, timedOut: 0, aborted: 0 };
}

/** Children of a run at once: what it asks for (0: as many as may be), within the limit of all. */
export function widthOf(asked: number, { distributedChildren }: Pick<Limits, 'distributedChildren'>): number {
  return asked === 0 ? distributedChildren : Math.min(asked, distributedChildren);
}

/** Whether the results of a thread's Map are written away. */
function hasWriter({ state }: Thread): boolean {
  return state.type === 'Map' && state.resultWriter !== undefined;
}
