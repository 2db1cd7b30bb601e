import { parse as parseCsv } from 'csv-parse/sync';
import type { ItemReader } from '../definition/machine.ts';
import type { Scope } from '../jsonata/expression.ts';
import { evaluateNumber } from '../jsonata/template.ts';
import { AslFailure, statesErrors } from '../model/failure.ts';
import { isObject, type Json } from '../model/json.ts';
import type { StateContext, Steps } from '../threads/state-context.ts';

/** Bucket and key (or prefix) that a reader's or writer's arguments name; `error` where they do not. */
export function placeOf(
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

/** As the service: fields beyond the header are left out, missing ones are empty, and no name may stand twice in a header. */
function csvRows(text: string, reader: ItemReader): Json[] {
  const rows = parseCsv(text, {
    delimiter: reader.csvDelimiter,
    relax_column_count: true,
    skip_empty_lines: true,
    bom: true,
  }) as string[][];
  const header = reader.csvHeaders ?? rows.shift() ?? [];
  if (new Set(header).size < header.length) throw new Error('a name stands twice in its header');
  return rows.map((row) => Object.fromEntries(header.map((column, index) => [column, row[index] ?? ''])));
}

function parseItems(text: string, reader: ItemReader): readonly Json[] {
  if (reader.inputType === 'CSV') return csvRows(text, reader);
  if (reader.inputType === 'JSONL')
    return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as Json]));
  const value = JSON.parse(text) as Json;
  if (Array.isArray(value)) return value as readonly Json[];
  throw new Error('a JSON list was expected');
}

/** Reads a distributed Map's items; whatever goes wrong is `States.ItemReaderFailed`. `MaxItems` 0 reads all. */
export function* readItems(
  context: StateContext,
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
  const rule = { min: 0, max: 100_000_000 };
  const most = reader.maxItems ? yield* evaluateNumber(reader.maxItems, scope, rule) : 0;
  let items: readonly Json[];
  try {
    const bytes = (yield context.integrations.readObject(bucket, key)) as Uint8Array;
    items = parseItems(new TextDecoder('utf-8', { fatal: true }).decode(bytes), reader);
  } catch (error) {
    if (error instanceof AslFailure) throw error;
    throw new AslFailure(
      statesErrors.itemReader,
      `s3://${bucket}/${key} could not be read as ${reader.inputType}: ${(error as Error).message}`,
    );
  }
  return most === 0 ? items : items.slice(0, most);
}
