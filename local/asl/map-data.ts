import { parse as parseCsv } from 'csv-parse/sync';
import type { Core, Steps } from './core.ts';
import { AslFailure, statesErrors } from './failure.ts';
import { isObject, type Json } from './json.ts';
import type { Scope } from './jsonata/expression.ts';
import { evaluateNumber } from './jsonata/template.ts';
import type { ItemReader } from './machine.ts';

function placeOf(
  value: Json,
  keyField: string,
  error: string,
  name: string,
): { readonly bucket: string; readonly key: string } {
  const bucket = isObject(value) ? value['Bucket'] : undefined;
  const key = isObject(value) ? (value[keyField] ?? (keyField === 'Prefix' ? '' : undefined)) : undefined;
  if (typeof bucket === 'string' && typeof key === 'string') return { bucket, key };
  throw new AslFailure(error, `State "${name}" names no Bucket and ${keyField}.`);
}

function csvRows(text: string, reader: ItemReader): Json[] {
  const columns = reader.csvHeaders ? [...reader.csvHeaders] : true;
  return parseCsv(text, {
    columns,
    delimiter: reader.csvDelimiter,
    skip_empty_lines: true,
    bom: true,
  }) as Json[];
}

function parseItems(text: string, reader: ItemReader): readonly Json[] {
  if (reader.inputType === 'CSV') return csvRows(text, reader);
  if (reader.inputType === 'JSONL')
    return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as Json]));
  const value = JSON.parse(text) as Json;
  if (Array.isArray(value)) return value as readonly Json[];
  throw new Error('a JSON list was expected');
}

/** Reads a distributed Map's items; whatever goes wrong is `States.ItemReaderFailed`. */
export function* readItems(
  core: Core,
  scope: Scope,
  reader: ItemReader,
  name: string,
): Steps<readonly Json[]> {
  const { bucket, key } = placeOf(
    yield* reader.arguments.evaluate(scope),
    'Key',
    statesErrors.itemReader,
    name,
  );
  let items: readonly Json[];
  try {
    const bytes = (yield core.integrations.readObject(bucket, key)) as Uint8Array;
    items = parseItems(new TextDecoder('utf-8', { fatal: true }).decode(bytes), reader);
  } catch (error) {
    if (error instanceof AslFailure) throw error;
    throw new AslFailure(
      statesErrors.itemReader,
      `s3://${bucket}/${key} could not be read as ${reader.inputType}: ${(error as Error).message}`,
    );
  }
  if (!reader.maxItems) return items;
  const most = yield* evaluateNumber(reader.maxItems, scope, { field: 'MaxItems', min: 1, max: 100_000_000 });
  return items.slice(0, most);
}

/** Writes a run's results where its ResultWriter says; repeating it writes the same objects again. */
export function* writeResults(
  core: Core,
  place: Json,
  mapRunArn: string,
  results: readonly Json[],
  name: string,
): Steps<Json> {
  const { bucket, key: prefix } = placeOf(place, 'Prefix', statesErrors.resultWriter, name);
  const folder = `${prefix === '' ? '' : `${prefix}/`}${mapRunArn.split(':').at(-1) ?? ''}`;
  const file = `${folder}/SUCCEEDED_0.json`;
  const body = JSON.stringify(results);
  const manifest = {
    DestinationBucket: bucket,
    MapRunArn: mapRunArn,
    ResultFiles: { FAILED: [], PENDING: [], SUCCEEDED: [{ Key: file, Size: Buffer.byteLength(body) }] },
  };
  try {
    yield core.integrations.writeObject(bucket, file, body);
    yield core.integrations.writeObject(bucket, `${folder}/manifest.json`, JSON.stringify(manifest));
  } catch (error) {
    throw new AslFailure(
      statesErrors.resultWriter,
      `s3://${bucket}/${folder} could not be written: ${(error as Error).message}`,
    );
  }
  return { MapRunArn: mapRunArn, ResultWriterDetails: { Bucket: bucket, Key: `${folder}/manifest.json` } };
}
