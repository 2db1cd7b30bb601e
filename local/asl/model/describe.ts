import type { ExecutionDetail, ExecutionSummary, HistoryEvent } from '../../../lib/ports/workflows.ts';
import { machineArn } from './names.ts';
import type { EventRecord, ExecutionRecord } from './records.ts';

/** How long after its end an execution may be redriven: 14 days, as the service has it. */
const redriveWindowMs = 14 * 86_400_000;

/** Most events an execution may have to be redriven. */
const redriveEvents = 24_999;

/** Most redrives of one execution. */
const redriveLimit = 1_000;

const iso = (instant: number) => new Date(instant).toISOString();

/** Why an execution cannot be redriven; undefined when it can. */
export function redriveRefusal(record: ExecutionRecord, now: number): string | undefined {
  if (record.status === 'SUCCEEDED') return 'it succeeded; start a new run instead';
  if (record.status === 'RUNNING' || record.status === 'PENDING_REDRIVE') return 'it is still running';
  if (now - (record.stopDate ?? now) > redriveWindowMs)
    return 'it ended more than 14 days ago; start a new run instead';
  if (record.eventCount >= redriveEvents)
    return `its history has ${record.eventCount} events; start a new run instead`;
  return record.redriveCount >= redriveLimit ? `it has been redriven ${redriveLimit} times` : undefined;
}

/** An execution in short. */
export function summaryOf(record: ExecutionRecord): ExecutionSummary {
  return {
    executionArn: record.arn,
    machine: record.machine,
    name: record.name,
    status: record.status,
    startDate: iso(record.startDate),
    ...(record.stopDate === undefined ? {} : { stopDate: iso(record.stopDate) }),
    redriveCount: record.redriveCount,
  };
}

/** An execution whole. */
export function detailOf(record: ExecutionRecord, now: number): ExecutionDetail {
  const refusal = redriveRefusal(record, now);
  const byMapRun = record.mapRunArn !== undefined && refusal === undefined;
  return {
    ...summaryOf(record),
    input: JSON.parse(record.input),
    ...(record.output === undefined ? {} : { output: JSON.parse(record.output) }),
    ...(record.error === undefined ? {} : { error: record.error }),
    ...(record.cause === undefined ? {} : { cause: record.cause }),
    redriveStatus: refusal ? 'NOT_REDRIVABLE' : byMapRun ? 'REDRIVABLE_BY_MAP_RUN' : 'REDRIVABLE',
    ...(refusal ? { redriveStatusReason: `Execution cannot be redriven: ${refusal}.` } : {}),
  };
}

/** Detail of "Step Functions Execution Status Change". Dates are milliseconds since the Unix epoch, as there. */
export function statusChangeOf(record: ExecutionRecord): Record<string, unknown> {
  return {
    executionArn: record.arn,
    stateMachineArn: machineArn(record.machine),
    name: record.name,
    status: record.status,
    startDate: record.startDate,
    stopDate: record.stopDate ?? null,
    input: record.input,
    output: record.output ?? null,
    error: record.error ?? null,
    cause: record.cause ?? null,
    redriveCount: record.redriveCount,
    redriveDate: record.redriveDate ?? null,
  };
}

/** What a waiting `.sync:2` Task gets of its child. */
export function childResultOf(record: ExecutionRecord, now: number): Record<string, unknown> {
  const refusal = redriveRefusal(record, now);
  return {
    ExecutionArn: record.arn,
    Input: JSON.parse(record.input),
    InputDetails: { Included: true },
    Name: record.name,
    ...(record.output === undefined
      ? {}
      : { Output: JSON.parse(record.output), OutputDetails: { Included: true } }),
    ...(record.error === undefined ? {} : { Error: record.error }),
    ...(record.cause === undefined ? {} : { Cause: record.cause }),
    RedriveCount: record.redriveCount,
    RedriveStatus: refusal ? 'NOT_REDRIVABLE' : 'REDRIVABLE',
    ...(refusal ? { RedriveStatusReason: `Execution cannot be redriven: ${refusal}.` } : {}),
    StartDate: record.startDate,
    StateMachineArn: machineArn(record.machine),
    Status: record.status,
    StopDate: record.stopDate,
  };
}

/** A history event as it is handed out. */
export function historyEventOf(event: EventRecord): HistoryEvent {
  return { ...event, timestamp: iso(event.timestamp) };
}
