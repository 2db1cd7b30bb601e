import type { Clock } from '../../../lib/ports/clock.ts';
import type { EventRecord } from '../model/records.ts';
import type { LiveExecution, StagedEvent, Thread } from '../threads/live-execution.ts';
import type { GroupWriter } from './group-writer.ts';

const enteredDetails = 'stateEnteredEventDetails';

/** Gives the events of threads their numbers: when their step is over, what they did is on record. */
export class EventRecorder {
  readonly #writer: GroupWriter;
  readonly #clock: Clock;
  readonly #onEvent: (execution: LiveExecution, event: EventRecord) => void;

  constructor(
    writer: GroupWriter,
    clock: Clock,
    onEvent: (execution: LiveExecution, event: EventRecord) => void,
  ) {
    this.#writer = writer;
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  commitStep(thread: Thread): void {
    this.#writer.thread(thread);
    if (thread.staged.length === 0) return;
    thread.lastEvent = thread.last;
    const timestamp = this.#clock.now();
    for (const staged of thread.staged) this.#record(thread, staged, timestamp);
    thread.staged = [];
  }

  commitEntered(thread: Thread): void {
    const [entered, ...rest] = thread.staged;
    if (thread.phase !== 'enter' || entered?.detailName !== enteredDetails) return;
    thread.lastEvent = thread.last;
    this.#record(thread, entered, this.#clock.now());
    thread.staged = rest;
    // After a crash before the step is over the state is not entered a second time.
    thread.phase = 'again';
    this.#writer.thread(thread);
  }

  /** Takes an event that has its number. */
  keep({ execution }: Thread, event: EventRecord): void {
    execution.events.push(event);
    this.#onEvent(execution, event);
  }

  #record(thread: Thread, { type, detailName, details, chain }: StagedEvent, timestamp: number): void {
    const { execution } = thread;
    const latest = execution.record.eventCount;
    const id = latest + 1;
    execution.record.eventCount = id;
    const after = chain?.after === 'latest' ? latest : chain?.after;
    const head = { id, previousEventId: after ?? thread.lastEvent, timestamp, type };
    const event = detailName === undefined ? head : { ...head, [detailName]: details };
    if (!chain?.aside) thread.lastEvent = id;
    if (detailName === enteredDetails) thread.enteredEvent = id;
    this.keep(thread, event);
  }
}
