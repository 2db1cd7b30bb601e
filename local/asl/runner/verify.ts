import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { faultsOf } from '../definition/compile.ts';
import { intrinsicName, resolveIntrinsics } from '../definition/resolve-intrinsics.ts';
import { readMocks } from './mocks.ts';
import { type Difference, differenceOf, mocksFrom, type RecordedEvent, valueIn } from './recorded-history.ts';
import { runDefinition } from './run-definition.ts';

/** What became of one recorded execution. */
export type Verdict =
  | { readonly name: string; readonly verdict: 'same'; readonly events: number }
  | { readonly name: string; readonly verdict: 'differs'; readonly difference: Difference }
  | { readonly name: string; readonly verdict: 'refused'; readonly faults: readonly string[] };

function invalid(message: string): EpsilonError {
  return new EpsilonError('RECORDING_INVALID', message);
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    throw invalid(`${file} cannot be read as JSON: ${(error as Error).message}.`);
  }
}

/** The events of GetExecutionHistory's answer, or a bare list of them. */
function readHistory(file: string): readonly RecordedEvent[] {
  const value = readJson(file) as { events?: unknown } | null;
  const events = Array.isArray(value) ? value : value?.events;
  const fits = (event: unknown) =>
    typeof event === 'object' && event !== null && 'id' in event && 'type' in event;
  if (!Array.isArray(events) || events.length === 0 || !events.every(fits))
    throw invalid(`${file} is no answer of GetExecutionHistory: it has no list of events with id and type.`);
  return [...(events as RecordedEvent[])].sort((a, b) => a.id - b.id);
}

/** The input of a recorded execution: a file's, or what its first event says. */
function inputIn(folder: string, [first]: readonly RecordedEvent[]): unknown {
  const file = join(folder, 'input.json');
  if (existsSync(file)) return readJson(file);
  const details = first?.['executionStartedEventDetails'] as { input?: string } | undefined;
  if (!first || details?.input === undefined)
    throw invalid(`${folder} has no input.json, and its history does not say what the input was.`);
  return valueIn(first, 'input', details.input);
}

async function verifyOne(folder: string, startAt: number): Promise<Verdict> {
  const name = basename(folder);
  const definition = resolveIntrinsics(readJson(join(folder, 'machine.asl.json')), intrinsicName);
  const faults = faultsOf(definition).map(({ path, message }) => `${path || '(definition)'}: ${message}`);
  if (faults.length > 0) return { name, verdict: 'refused', faults };
  const recorded = readHistory(join(folder, 'history.json'));
  const mocks = join(folder, 'mocks.json');
  const objects = join(folder, 'objects');
  const { history } = await runDefinition({
    definition,
    input: inputIn(folder, recorded),
    mock: existsSync(mocks) ? readMocks(readJson(mocks)) : mocksFrom(recorded),
    ...(existsSync(objects) ? { objects } : {}),
    startAt,
  });
  const difference = differenceOf(recorded, history);
  if (difference) return { name, verdict: 'differs', difference };
  return { name, verdict: 'same', events: recorded.length };
}

/**
 * Runs recorded executions again and compares their histories. A recording is a folder with `machine.asl.json` and
 * `history.json`, and where needed `input.json`, `mocks.json` and `objects/`; without mocks the Tasks answer what the
 * history says. `folder` is one, or holds many. Throws `RECORDING_INVALID`.
 */
export async function verifyRecordings(folder: string, startAt: number): Promise<Verdict[]> {
  const isRecording = (path: string) => existsSync(join(path, 'history.json'));
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw invalid(`There is no folder ${folder}.`);
  const inside = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isRecording(join(folder, entry.name)))
    .map(({ name }) => join(folder, name))
    .sort();
  const recordings = isRecording(folder) ? [folder] : inside;
  if (recordings.length === 0)
    throw invalid(`${folder} holds no recording: a folder with machine.asl.json and history.json.`);
  const verdicts: Verdict[] = [];
  for (const recording of recordings) verdicts.push(await verifyOne(recording, startAt));
  return verdicts;
}
