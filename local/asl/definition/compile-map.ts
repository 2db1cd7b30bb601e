import { expressionIn, type Template } from '../jsonata/template.ts';
import { isObject, type Json } from '../model/json.ts';
import { largestBatch, longestBatch, widestConcurrency } from './bounds.ts';
import type { Compilation } from './compilation.ts';
import { type Source, templateOf, templatesOf } from './compile-fields.ts';
import { checkNumber, checkText } from './compile-literals.ts';
import type { ItemBatcher, ItemReader, MapState, ResultWriter } from './machine.ts';

type MapPart = Omit<MapState, 'name' | 'next' | 'end' | 'output' | 'assign' | 'retry' | 'catch'>;

/** A part of a Map that is an object; undefined when it is absent. */
function part(
  compilation: Compilation,
  raw: Source['raw'],
  field: string,
  at: string,
): { readonly [key: string]: Json } | undefined {
  const value = raw[field];
  if (value !== undefined && !isObject(value)) compilation.invalid(`${at}.${field}`, 'must be an object');
  return isObject(value) ? value : undefined;
}

/** Arguments of a reader or writer: an expression, or the fields that are known, of which some are needed. */
function checkPlace(
  compilation: Compilation,
  value: Json | undefined,
  path: string,
  fields: { readonly needed: readonly string[]; readonly known: readonly string[] },
): void {
  if (typeof value === 'string' && expressionIn(value) !== undefined) return;
  if (!isObject(value)) {
    compilation.invalid(path, `must be an object with ${fields.needed.join(' and ')}, or an expression`);
    return;
  }
  for (const field of Object.keys(value))
    if (!fields.known.includes(field))
      compilation.unsupported(
        `${path}.${field}`,
        `${field} is not known here (known: ${fields.known.join(', ')})`,
      );
  for (const field of fields.needed)
    if (value[field] === undefined) compilation.invalid(`${path}.${field}`, 'is needed');
  for (const field of fields.known) checkText(compilation, value[field], `${path}.${field}`);
}

const delimiters: Readonly<Record<string, string>> = {
  COMMA: ',',
  PIPE: '|',
  SEMICOLON: ';',
  SPACE: ' ',
  TAB: '\t',
};

function checkCsv(compilation: Compilation, config: { readonly [key: string]: Json }, path: string): void {
  const {
    CSVHeaderLocation: location = 'FIRST_ROW',
    CSVHeaders: headers,
    CSVDelimiter: delimiter = 'COMMA',
  } = config;
  if (location !== 'FIRST_ROW' && location !== 'GIVEN')
    compilation.invalid(`${path}.CSVHeaderLocation`, 'must be FIRST_ROW or GIVEN');
  const named =
    Array.isArray(headers) && headers.length > 0 && headers.every((name) => typeof name === 'string');
  if (location === 'GIVEN' && !named)
    compilation.invalid(`${path}.CSVHeaders`, 'must be a list of names when CSVHeaderLocation is GIVEN');
  if (!Object.hasOwn(delimiters, String(delimiter)))
    compilation.invalid(`${path}.CSVDelimiter`, `must be one of ${Object.keys(delimiters).join(', ')}`);
}

function readerOf(compilation: Compilation, { raw, at }: Source): ItemReader | undefined {
  const value = part(compilation, raw, 'ItemReader', at);
  if (!value) return undefined;
  const path = `${at}.ItemReader`;
  compilation.checkFields(value, ['Resource', 'ReaderConfig', 'Arguments'], path);
  if (!/^arn:[a-z-]+:states:::s3:getObject$/.test(String(value['Resource']))) {
    compilation.unsupported(
      `${path}.Resource`,
      `${JSON.stringify(value['Resource'] ?? null)}: only s3:getObject is read here`,
    );
  }
  const config = part(compilation, value, 'ReaderConfig', path) ?? {};
  compilation.checkFields(
    config,
    ['InputType', 'CSVHeaderLocation', 'CSVHeaders', 'CSVDelimiter', 'ItemsPointer', 'MaxItems'],
    `${path}.ReaderConfig`,
  );
  const inputType = String(config['InputType'] ?? 'JSON');
  if (!['JSON', 'JSONL', 'CSV'].includes(inputType))
    compilation.unsupported(
      `${path}.ReaderConfig.InputType`,
      `${inputType}: JSON, JSONL and CSV are read here`,
    );
  const { ItemsPointer: pointer } = config;
  if (
    pointer !== undefined &&
    (inputType !== 'JSON' || typeof pointer !== 'string' || !pointer.startsWith('/'))
  )
    compilation.invalid(
      `${path}.ReaderConfig.ItemsPointer`,
      'must be a JSON Pointer (/a/b), for InputType JSON',
    );
  checkCsv(compilation, config, `${path}.ReaderConfig`);
  checkPlace(compilation, value['Arguments'], `${path}.Arguments`, {
    needed: ['Bucket', 'Key'],
    known: ['Bucket', 'Key'],
  });
  const most = `${path}.ReaderConfig.MaxItems`;
  checkNumber(compilation, config['MaxItems'], most, { min: 0, max: 100_000_000 });
  const maxItems = templateOf(compilation, config['MaxItems'], {
    path: most,
    location: 'ItemReader/ReaderConfig/MaxItems',
  });
  const given = config['CSVHeaderLocation'] === 'GIVEN' && Array.isArray(config['CSVHeaders']);
  return {
    inputType: inputType as ItemReader['inputType'],
    csvDelimiter: delimiters[String(config['CSVDelimiter'] ?? 'COMMA')] ?? ',',
    ...(typeof pointer === 'string' ? { itemsPointer: pointer } : {}),
    ...(given ? { csvHeaders: config['CSVHeaders'] as string[] } : {}),
    ...(maxItems ? { maxItems } : {}),
    arguments: templateOf(compilation, value['Arguments'] ?? {}, {
      path: `${path}.Arguments`,
      location: 'ItemReader/Arguments',
    }) as Template,
  };
}

const transformations = ['NONE', 'COMPACT', 'FLATTEN'] as const;
const outputTypes = ['JSON', 'JSONL'] as const;

function oneOf<T extends string>(
  compilation: Compilation,
  value: Json,
  path: string,
  known: readonly T[],
  fallback: T,
): T {
  const found = known.find((one) => one === value);
  if (!found) compilation.invalid(path, `must be one of ${known.join(', ')}`);
  return found ?? fallback;
}

function writerOf(compilation: Compilation, { raw, at }: Source): ResultWriter | undefined {
  const value = part(compilation, raw, 'ResultWriter', at);
  if (!value) return undefined;
  const path = `${at}.ResultWriter`;
  compilation.checkFields(value, ['Resource', 'WriterConfig', 'Arguments'], path);
  const { Resource: resource, Arguments: given } = value;
  const config = part(compilation, value, 'WriterConfig', path);
  compilation.checkFields(config ?? {}, ['Transformation', 'OutputType'], `${path}.WriterConfig`);
  if (resource !== undefined && !/^arn:[a-z-]+:states:::s3:putObject$/.test(String(resource)))
    compilation.unsupported(`${path}.Resource`, 'only s3:putObject is written here');
  if ((resource === undefined) !== (given === undefined) || (!resource && !config))
    compilation.invalid(path, 'needs Resource with Arguments, or WriterConfig, or all three');
  // As the service: what is exported is described where nothing is said, what is handed on is not.
  const { Transformation: transformation = resource ? 'NONE' : 'COMPACT', OutputType: type = 'JSON' } =
    config ?? {};
  if (type === 'JSONL' && resource === undefined)
    compilation.unsupported(`${path}.WriterConfig.OutputType`, 'JSONL is written to objects only here');
  if (given !== undefined)
    checkPlace(compilation, given, `${path}.Arguments`, { needed: ['Bucket'], known: ['Bucket', 'Prefix'] });
  const place = templateOf(compilation, given, {
    path: `${path}.Arguments`,
    location: 'ResultWriter/Arguments',
  });
  return {
    transformation: oneOf(
      compilation,
      transformation,
      `${path}.WriterConfig.Transformation`,
      transformations,
      'NONE',
    ),
    outputType: oneOf(compilation, type, `${path}.WriterConfig.OutputType`, outputTypes, 'JSON'),
    ...(place ? { place } : {}),
  };
}

function batcherOf(compilation: Compilation, { raw, at }: Source): ItemBatcher | undefined {
  const value = part(compilation, raw, 'ItemBatcher', at);
  if (!value) return undefined;
  const path = `${at}.ItemBatcher`;
  compilation.checkFields(value, ['MaxItemsPerBatch', 'MaxInputBytesPerBatch', 'BatchInput'], path);
  const { MaxItemsPerBatch: items, MaxInputBytesPerBatch: bytes } = value;
  if (items === undefined && bytes === undefined)
    compilation.invalid(path, 'needs MaxItemsPerBatch or MaxInputBytesPerBatch');
  checkNumber(compilation, items, `${path}.MaxItemsPerBatch`, { min: 1, max: longestBatch });
  checkNumber(compilation, bytes, `${path}.MaxInputBytesPerBatch`, { min: 1, max: largestBatch });
  return templatesOf(
    compilation,
    { name: '', raw: value, at: path, prefix: '', within: 'ItemBatcher/' },
    { maxItems: 'MaxItemsPerBatch', maxBytes: 'MaxInputBytesPerBatch', batchInput: 'BatchInput' },
  );
}

/** Characters that a Label may not have; it becomes part of the children's ARNs. */
const notInLabel = /[\s?*<>{}[\]:;,\\|^~$#%&`"\p{Cc}]/u;

function checkNumbers(compilation: Compilation, { raw, at }: Source): void {
  const check = (field: string, max: number, whole = true) =>
    checkNumber(compilation, raw[field], `${at}.${field}`, { min: 0, max, whole });
  check('MaxConcurrency', widestConcurrency);
  check('ToleratedFailureCount', 100_000_000);
  check('ToleratedFailurePercentage', 100, false);
  const { Label: label } = raw;
  const fits =
    typeof label === 'string' && label.length >= 1 && label.length <= 40 && !notInLabel.test(label);
  if (label === undefined) return;
  if (fits) compilation.checkLabel(label, `${at}.Label`);
  else
    compilation.invalid(
      `${at}.Label`,
      'must have 1 to 40 characters, without spaces, brackets and : ; , ? * and the like',
    );
}

/** The Map's own part. Distributed-only fields on an inline Map are refused. */
export function compileMap(compilation: Compilation, source: Source): MapPart {
  const { raw, at, name, prefix } = source;
  const processor = part(compilation, raw, 'ItemProcessor', at);
  if (!processor) compilation.invalid(`${at}.ItemProcessor`, 'is needed');
  compilation.checkFields(
    processor ?? {},
    ['ProcessorConfig', 'StartAt', 'States', 'Comment'],
    `${at}.ItemProcessor`,
  );
  const config = part(compilation, processor ?? {}, 'ProcessorConfig', `${at}.ItemProcessor`) ?? {};
  compilation.checkFields(config, ['Mode', 'ExecutionType'], `${at}.ItemProcessor.ProcessorConfig`);
  const mode = config['Mode'] ?? 'INLINE';
  if (mode !== 'INLINE' && mode !== 'DISTRIBUTED')
    compilation.invalid(`${at}.ItemProcessor.ProcessorConfig.Mode`, 'must be INLINE or DISTRIBUTED');
  const distributed = mode === 'DISTRIBUTED';
  if (distributed && config['ExecutionType'] !== 'STANDARD') {
    compilation.unsupported(
      `${at}.ItemProcessor.ProcessorConfig.ExecutionType`,
      'children of a distributed Map run as STANDARD here',
    );
  }
  if (!distributed) {
    for (const field of ['ItemReader', 'ItemBatcher', 'ResultWriter', 'Label']) {
      if (raw[field] !== undefined) compilation.invalid(`${at}.${field}`, 'belongs to a distributed Map');
    }
  }
  checkNumbers(compilation, source);
  const { Items: items } = raw;
  if (items !== undefined && typeof items !== 'object' && expressionIn(String(items)) === undefined)
    compilation.invalid(
      `${at}.Items`,
      `must be a list, an object or an expression, not ${JSON.stringify(items)}`,
    );
  else if (items === null)
    compilation.invalid(`${at}.Items`, 'must be a list, an object or an expression, not null');
  const itemReader = readerOf(compilation, source);
  const resultWriter = writerOf(compilation, source);
  const batcher = batcherOf(compilation, source);
  return {
    type: 'Map',
    distributed,
    label: typeof raw['Label'] === 'string' ? raw['Label'] : name.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 40),
    ...templatesOf(compilation, source, {
      items: 'Items',
      itemSelector: 'ItemSelector',
      maxConcurrency: 'MaxConcurrency',
      toleratedPercentage: 'ToleratedFailurePercentage',
      toleratedCount: 'ToleratedFailureCount',
    }),
    ...(itemReader ? { itemReader } : {}),
    ...(resultWriter ? { resultWriter } : {}),
    ...(batcher ? { batcher } : {}),
    processor: compilation.block(processor ?? {}, `${prefix}${name}/*`, `${at}.ItemProcessor`),
  };
}
