import type { HistoryEvent } from '../../lib/ports/workflows.ts';
import { causeText, plain } from '../output.ts';

type Details = Readonly<Record<string, unknown>>;

/** The details of an event, whatever their field is called. */
function detailsOf(event: HistoryEvent): Details {
  const found = Object.entries(event).find(([field, value]) => /Details$/.test(field) && value !== null);
  return (found?.[1] ?? {}) as Details;
}

const text = (details: Details, field: string) => {
  const value = details[field];
  return value === undefined || value === null ? '' : plain(String(value));
};

/** The function's own name, of the parameters of its call. */
function functionOf(details: Details): string | undefined {
  try {
    const { FunctionName } = JSON.parse(String(details['parameters'])) as { FunctionName?: unknown };
    if (typeof FunctionName !== 'string') return undefined;
    return FunctionName.startsWith('arn:') ? FunctionName.split(':')[6] : FunctionName;
  } catch {
    // Long parameters are cut, and no JSON any more.
    return undefined;
  }
}

function callOf(details: Details): string {
  const called = functionOf(details);
  const what =
    called === undefined
      ? `${text(details, 'resourceType')}:${text(details, 'resource')}`
      : `the function ${called}`;
  return details['resource'] === 'invoke.waitForTaskToken'
    ? `calls ${what} and waits for the answer of its job`
    : `calls ${what}`;
}

const because = (details: Details) =>
  details['error'] === undefined
    ? ''
    : `: ${text(details, 'error')}: ${plain(causeText(String(details['cause'] ?? '')))}`;

/** Sentences by type of event, said after the name of the state. */
const ofStates: Readonly<Record<string, (details: Details) => string>> = {
  TaskScheduled: callOf,
  TaskStarted: () => 'has its call under way',
  TaskSubmitted: () => 'has its job submitted',
  TaskSucceeded: () => 'has its answer',
  TaskFailed: (details) => `failed${because(details)}`,
  TaskTimedOut: (details) => `got no answer in time${because(details)}`,
  TaskStartFailed: (details) => `could not make its call${because(details)}`,
  TaskSubmitFailed: (details) => `could not submit its job${because(details)}`,
  MapStateStarted: (details) =>
    Number(details['length'] ?? 0) > 0 ? `has ${text(details, 'length')} items` : 'takes its items',
  MapIterationStarted: (details) => `begins item ${text(details, 'index')}`,
  MapIterationSucceeded: (details) => `is done with item ${text(details, 'index')}`,
  MapIterationFailed: (details) => `failed at item ${text(details, 'index')}`,
  MapIterationAborted: (details) => `gave up item ${text(details, 'index')}`,
  MapStateSucceeded: () => 'is done with all its items',
  MapRunStarted: (details) => `starts its children as map run ${text(details, 'mapRunArn')}`,
  MapRunRedriven: (details) => `continues its children, redrive ${text(details, 'redriveCount')}`,
  MapRunSucceeded: () => 'has all its children done',
  MapRunFailed: (details) => `has more failed children than it may${because(details)}`,
  ParallelStateStarted: () => 'begins its branches side by side',
  ParallelStateSucceeded: () => 'is done with all its branches',
  EvaluationFailed: (details) =>
    `could not evaluate ${text(details, 'location') || 'an expression'}${because(details)}`,
};

/** Sentences about the whole execution. */
const ofExecutions: Readonly<Record<string, (details: Details) => string>> = {
  ExecutionStarted: () => 'The execution started',
  ExecutionRedriven: (details) =>
    `The execution goes on from where it failed, redrive ${text(details, 'redriveCount')}`,
  ExecutionSucceeded: () => 'The execution succeeded',
  ExecutionFailed: (details) => `The execution failed${because(details)}`,
  ExecutionTimedOut: (details) => `The execution took longer than it may${because(details)}`,
  ExecutionAborted: (details) => `The execution was stopped${because(details)}`,
};

/** `TaskStateAborted` as `task state aborted`: for types that have no sentence of their own. */
const asWords = (type: string) => type.replace(/(?<=[a-z])[A-Z]/g, ' $&').toLowerCase();

function sentenceOf({ type }: HistoryEvent, details: Details, state: string | undefined): string {
  const whole = ofExecutions[type]?.(details);
  if (whole !== undefined) return whole;
  const name = state ?? 'A state';
  if (type.endsWith('StateEntered')) return `${name} begins`;
  if (type.endsWith('StateExited')) return `${name} is done`;
  const said = ofStates[type]?.(details) ?? `: ${asWords(type)}${because(details)}`;
  return said.startsWith(':') ? `${name}${said}` : `${name} ${said}`;
}

/**
 * A history as sentences, one line an event: its number, its time and what happened. Which state an event is about follows from
 * the event that led to it.
 */
export function historyLines(events: readonly HistoryEvent[]): string[] {
  const states = new Map<number, string>();
  return events.map((event) => {
    const details = detailsOf(event);
    const own = /State(Entered|Exited)$/.test(event.type) ? text(details, 'name') : undefined;
    const state = own || text(details, 'state') || states.get(event.previousEventId);
    if (state) states.set(event.id, state);
    return `${String(event.id).padStart(5)}  ${event.timestamp}  ${sentenceOf(event, details, state)}`;
  });
}
