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

/** Children of a run by how they ended; those that were never started have only an input. */
interface Results {
  readonly SUCCEEDED: readonly Json[];
  readonly FAILED: readonly Json[];
  readonly PENDING: readonly Json[];
}

function resultsOf(context: StateContext, writer: ResultWriter, mapRunArn: string, label: string): Results {
  const { children, inputs } = context.mapRuns.endOf(mapRunArn);
  const now = context.clock.now();
  const inOrder = [...children].sort((a, b) => (a.mapIndex ?? 0) - (b.mapIndex ?? 0));
  const succeeded = inOrder.filter((child) => child.status === 'SUCCEEDED');
  const outputs = () => succeeded.map((child) => JSON.parse(child.output ?? 'null') as Json);
  const transformed = {
    NONE: () => succeeded.map((child) => descriptionOf(child, label, now)),
    COMPACT: outputs,
    FLATTEN: () => outputs().flat() as Json[],
  };
  const started = new Set(inOrder.map((child) => child.mapIndex));
  return {
    SUCCEEDED: transformed[writer.transformation](),
    // As the service: failed children are described whatever the transformation.
    FAILED: inOrder
      .filter((child) => child.status !== 'SUCCEEDED')
      .map((child) => descriptionOf(child, label, now)),
    PENDING: inputs
      .filter((_, index) => !started.has(index))
      .map((input) => ({
        Input: JSON.stringify(input),
        InputDetails: { Included: true },
        Status: 'PENDING',
      })),
  };
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
  if (!writer.place) return results.SUCCEEDED;
  const place = yield* writer.place.evaluate(scope);
  const { bucket, key: prefix } = placeOf(place, 'Prefix', statesErrors.resultWriter, state.name);
  const folder = `${prefix === '' ? '' : `${prefix}/`}${mapRunArn.split(':').at(-1) ?? ''}`;
  const lines = writer.outputType === 'JSONL';
  const files: Record<string, Json> = {};
  try {
    for (const [status, list] of Object.entries(results) as [string, readonly Json[]][]) {
      files[status] = [];
      if (list.length === 0) continue;
      const file = `${folder}/${status}_0.${lines ? 'jsonl' : 'json'}`;
      const body = lines ? list.map((each) => `${JSON.stringify(each)}\n`).join('') : JSON.stringify(list);
      yield context.integrations.writeObject(bucket, file, body);
      files[status] = [{ Key: file, Size: Buffer.byteLength(body) }];
    }
    const manifest = { DestinationBucket: bucket, MapRunArn: mapRunArn, ResultFiles: files };
    yield context.integrations.writeObject(bucket, `${folder}/manifest.json`, JSON.stringify(manifest));
  } catch (error) {
    throw new AslFailure(
      statesErrors.resultWriter,
      `s3://${bucket}/${folder} could not be written: ${(error as Error).message}`,
    );
  }
  return { MapRunArn: mapRunArn, ResultWriterDetails: { Bucket: bucket, Key: `${folder}/manifest.json` } };
}
