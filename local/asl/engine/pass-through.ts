import type { PassState, State, SucceedState } from '../definition/machine.ts';
import type { EventRecord } from '../model/records.ts';
import type { Thread } from '../threads/live-execution.ts';
import { fitsPayload } from '../threads/state-context.ts';
import type { InterpreterContext } from './interpreter-context.ts';

const notTruncated = { truncated: false };

/** Whether a state only hands its input on: nothing is evaluated, waited for or able to fail. */
export function isPassThrough(state: State): state is PassState | SucceedState {
  return (state.type === 'Pass' || state.type === 'Succeed') && !state.output && !state.assign;
}

/** What passing through a state needs beside the interpreter. */
export interface PassingParts {
  readonly context: InterpreterContext;
  /** Takes an event that is numbered already. */
  readonly record: (thread: Thread, event: EventRecord) => void;
}

/**
 * Takes a thread through such a state in one go, with the two events of the general way; false, with nothing done, where
 * the payload is too large and the state fails.
 */
export function passThrough(
  { context, record }: PassingParts,
  thread: Thread,
  state: PassState | SucceedState,
): boolean {
  const { execution, input } = thread;
  if (!fitsPayload(context, input)) return false;
  const timestamp = context.clock.now();
  const { name, type, next } = state;
  const { text } = input;
  const previousEventId = thread.last;
  const id = execution.record.eventCount + 1;
  execution.record.eventCount = id + 1;
  thread.enteredAt = timestamp;
  thread.enteredEvent = id;
  thread.lastEvent = id + 1;
  const passes = type === 'Pass';
  record(thread, {
    id,
    previousEventId,
    timestamp,
    type: passes ? 'PassStateEntered' : 'SucceedStateEntered',
    stateEnteredEventDetails: { name, input: text, inputDetails: notTruncated },
  });
  record(thread, {
    id: id + 1,
    previousEventId: id,
    timestamp,
    type: passes ? 'PassStateExited' : 'SucceedStateExited',
    stateExitedEventDetails: { name, output: text, outputDetails: notTruncated },
  });
  if (next === undefined) context.finishThread(thread, input);
  else thread.stateName = next;
  return true;
}
