import type { ExecutionRecord, MapRunRecord } from '../model/records.ts';
import type { MapRunCounts } from './active-map-runs.ts';

/** One run of a distributed Map, with the counts of its children. */
export interface MapRunDetail
  extends Omit<MapRunRecord, 'inputs' | 'execution' | 'thread' | 'serial' | 'block'> {
  readonly itemCounts: MapRunCounts & { readonly total: number };
}

function countsFrom(total: number, children: Iterable<ExecutionRecord>): MapRunCounts {
  const counts = new Map<ExecutionRecord['status'], number>();
  let started = 0;
  for (const { status } of children) {
    counts.set(status, (counts.get(status) ?? 0) + 1);
    started += 1;
  }
  return {
    pending: total - started,
    running: counts.get('RUNNING') ?? 0,
    succeeded: counts.get('SUCCEEDED') ?? 0,
    failed: counts.get('FAILED') ?? 0,
    timedOut: counts.get('TIMED_OUT') ?? 0,
    aborted: counts.get('ABORTED') ?? 0,
  };
}

/** A map run as it is shown; `counts` are the live ones where it is not over. */
export function mapRunDetailOf(
  record: MapRunRecord,
  children: Iterable<ExecutionRecord>,
  counts = countsFrom(record.total, children),
): MapRunDetail {
  const {
    inputs: _inputs,
    execution: _execution,
    thread: _thread,
    serial: _serial,
    block: _block,
    ...shown
  } = record;
  return { ...shown, itemCounts: { ...counts, total: record.total } };
}
