import type { ExecutionRecord, MapRunRecord } from '../model/records.ts';
import type { MapRunCounts } from './active-map-runs.ts';

/** One run of a distributed Map, with the counts of its children. */
export interface MapRunDetail
  extends Omit<MapRunRecord, 'inputs' | 'execution' | 'thread' | 'serial' | 'block'> {
  readonly itemCounts: MapRunCounts & { readonly total: number };
}

function countsFrom(total: number, children: readonly ExecutionRecord[]): MapRunCounts {
  const count = (status: ExecutionRecord['status']) =>
    children.filter((child) => child.status === status).length;
  return {
    pending: total - children.length,
    running: count('RUNNING'),
    succeeded: count('SUCCEEDED'),
    failed: count('FAILED'),
    timedOut: count('TIMED_OUT'),
    aborted: count('ABORTED'),
  };
}

/** A map run as it is shown; `counts` are the live ones where it is not over. */
export function mapRunDetailOf(
  record: MapRunRecord,
  children: readonly ExecutionRecord[],
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
