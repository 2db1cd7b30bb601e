import { gunzipSync, zstdDecompressSync } from 'node:zlib';
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
  if (new Set(header).size < header.length) throw new Error('a name is twice in its header');
  return rows.map((row) => Object.fromEntries(header.map((column, index) => [column, row[index] ?? ''])));
}

/** The value that a JSON Pointer (RFC 6901) names. */
function valueAt(value: Json, pointer: string): Json {
  let found: Json | undefined = value;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const owner: Json | undefined = found;
    found =
      typeof owner === 'object' && owner !== null && Object.hasOwn(owner, key)
        ? (owner as { readonly [key: string]: Json })[key]
        : undefined;
  }
  if (found !== undefined) return found;
  throw new Error(
    'The provided ReaderConfig.ItemsPointer does not match any valid path in the JSON structure.',
  );
}

/** Most bytes a compressed object may have when it is read. */
const largestInflated = 1_073_741_824;

/** An object's bytes, decompressed when their first bytes are those of gzip or zstd. */
function inflated(bytes: Uint8Array): Uint8Array {
  const [first, second, third, fourth] = bytes;
  const limit = { maxOutputLength: largestInflated };
  if (first === 0x1f && second === 0x8b) return gunzipSync(bytes, limit);
  const isZstd = first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd;
  return isZstd ? zstdDecompressSync(bytes, limit) : bytes;
}

function parseItems(text: string, reader: ItemReader): readonly Json[] {
  if (reader.inputType === 'CSV') return csvRows(text, reader);
  if (reader.inputType === 'JSONL')
    return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as Json]));
  const value = valueAt(JSON.parse(text) as Json, reader.itemsPointer ?? '');
  if (Array.isArray(value)) return value as readonly Json[];
  if (isObject(value)) return Object.entries(value).map(([Key, Value]) => ({ Key, Value }));
  throw new Error('a JSON list or object was expected');
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
    items = parseItems(new TextDecoder('utf-8', { fatal: true }).decode(inflated(bytes)), reader);
  } catch (error) {
    if (error instanceof AslFailure) throw error;
    throw new AslFailure(
      statesErrors.itemReader,
      `s3://${bucket}/${key} could not be read as ${reader.inputType}: ${(error as Error).message}`,
    );
  }
  return most === 0 ? items : items.slice(0, most);
}
