import type { MapState, ResultWriter } from '../definition/machine.ts';
import type { Scope } from '../jsonata/expression.ts';
import { redriveRefusal } from '../model/describe.ts';
import { AslFailure, statesErrors } from '../model/failure.ts';
import type { Json } from '../model/json.ts';
import { machineArn } from '../model/names.ts';
import type { ExecutionRecord } from '../model/records.ts';
import type { StateContext, Steps } from '../threads/state-context.ts';
import { placeOf } from './read-items.ts';

const iso = (instant: number) => new Date(instant).toISOString();

/** A child as the files of a ResultWriter describe it; input and output are JSON texts there. */
function descriptionOf(child: ExecutionRecord, label: string, now: number): Json {
  const { output, error, cause, stopDate } = child;
  const refusal = redriveRefusal(child, now);
  return {
    ExecutionArn: child.arn,
    Input: child.input,
    InputDetails: { Included: true },
    Name: child.name,
    ...(output === undefined ? {} : { Output: output, OutputDetails: { Included: true } }),
    ...(error === undefined ? {} : { Error: error }),
    ...(cause === undefined ? {} : { Cause: cause }),
    RedriveCount: child.redriveCount,
    RedriveStatus: refusal ? 'NOT_REDRIVABLE' : 'REDRIVABLE_BY_MAP_RUN',
    ...(refusal ? { RedriveStatusReason: `Execution cannot be redriven: ${refusal}.` } : {}),
    StartDate: iso(child.startDate),
    StateMachineArn: `${machineArn(child.machine)}/${label}`,
    Status: child.status,
    ...(stopDate === undefined ? {} : { StopDate: iso(stopDate) }),
  };
}

type Status = 'SUCCEEDED' | 'FAILED' | 'PENDING';

/** One entry of a run's results, in the file of its status. */
type Entry = readonly [Status, Json];

/** What a run's children came to, in order of their index and as the writer wants it; each is read when it is its turn. */
function* resultsOf(
  context: StateContext,
  writer: ResultWriter,
  mapRunArn: string,
  label: string,
): Generator<Entry> {
  const { children, inputs } = context.mapRuns.endOf(mapRunArn);
  const now = context.clock.now();
  const started = new Uint8Array(inputs.length);
  for (const child of children) {
    started[child.mapIndex ?? 0] = 1;
    // As the service: failed children are described whatever the transformation.
    if (child.status !== 'SUCCEEDED') yield ['FAILED', descriptionOf(child, label, now)];
    else if (writer.transformation === 'NONE') yield ['SUCCEEDED', descriptionOf(child, label, now)];
    else {
      const output = JSON.parse(child.output ?? 'null') as Json;
      const flat = writer.transformation === 'FLATTEN' && Array.isArray(output);
      for (const each of flat ? (output as readonly Json[]) : [output]) yield ['SUCCEEDED', each];
    }
  }
  for (const [index, input] of inputs.entries())
    if (started[index] === 0)
      yield [
        'PENDING',
        { Input: JSON.stringify(input), InputDetails: { Included: true }, Status: 'PENDING' },
      ];
}

/** Characters of a result file, about; what is beyond goes on in the next one. */
const fileLength = 4 * 1024 * 1024;

interface OpenFile {
  readonly entries: string[];
  length: number;
}

/** Results written as files of a bounded length, each named by its status and a number. */
function* writeFiles(
  context: StateContext,
  results: Iterable<Entry>,
  place: { readonly bucket: string; readonly folder: string; readonly lines: boolean },
): Steps<Json> {
  const { bucket, folder, lines } = place;
  const written: Record<Status, Json[]> = { SUCCEEDED: [], FAILED: [], PENDING: [] };
  const open = new Map<Status, OpenFile>();
  const close = function* (status: Status, { entries }: OpenFile): Steps {
    const key = `${folder}/${status}_${written[status].length}.${lines ? 'jsonl' : 'json'}`;
    const body = lines ? entries.map((entry) => `${entry}\n`).join('') : `[${entries.join(',')}]`;
    yield context.integrations.writeObject(bucket, key, body);
    written[status].push({ Key: key, Size: Buffer.byteLength(body) });
    open.delete(status);
  };
  for (const [status, entry] of results) {
    const file = open.get(status) ?? { entries: [], length: 0 };
    open.set(status, file);
    const text = JSON.stringify(entry);
    file.entries.push(text);
    file.length += text.length + 1;
    if (file.length >= fileLength) yield* close(status, file);
  }
  for (const [status, file] of open) yield* close(status, file);
  return written;
}

/**
 * A run's results as its ResultWriter wants them: given to the state, or written to objects with a manifest, which the
 * state then names. Writing again writes the same objects; what goes wrong is `States.ResultWriterFailed`.
 */
export function* writeResults(
  context: StateContext,
  writer: ResultWriter,
  scope: Scope,
  mapRunArn: string,
  state: MapState,
): Steps<Json> {
  const results = resultsOf(context, writer, mapRunArn, state.label);
  if (!writer.place)
    return [...results].flatMap(([status, entry]) => (status === 'SUCCEEDED' ? [entry] : []));
  const place = yield* writer.place.evaluate(scope);
  const { bucket, key: prefix } = placeOf(place, 'Prefix', statesErrors.resultWriter, state.name);
  const folder = `${prefix === '' ? '' : `${prefix}/`}${mapRunArn.split(':').at(-1) ?? ''}`;
  try {
    const ResultFiles = yield* writeFiles(context, results, {
      bucket,
      folder,
      lines: writer.outputType === 'JSONL',
    });
    const manifest = { DestinationBucket: bucket, MapRunArn: mapRunArn, ResultFiles };
    yield context.integrations.writeObject(bucket, `${folder}/manifest.json`, JSON.stringify(manifest));
  } catch (error) {
    throw new AslFailure(
      statesErrors.resultWriter,
      `s3://${bucket}/${folder} could not be written: ${(error as Error).message}`,
    );
  }
  return { MapRunArn: mapRunArn, ResultWriterDetails: { Bucket: bucket, Key: `${folder}/manifest.json` } };
}
