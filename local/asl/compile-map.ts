import type { Compilation } from './compile.ts';
import { type Source, templateOf, templatesOf } from './compile-fields.ts';
import { checkNumber } from './compile-literals.ts';
import { isObject, type Json } from './json.ts';
import type { Template } from './jsonata/template.ts';
import type { ItemReader, MapState } from './machine.ts';

type MapPart = Omit<MapState, 'name' | 'next' | 'end' | 'output' | 'assign' | 'retry' | 'catch'>;

function part(raw: Source['raw'], field: string): { readonly [key: string]: Json } | undefined {
  const value = raw[field];
  return isObject(value) ? value : undefined;
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
  const value = part(raw, 'ItemReader');
  if (!value) return undefined;
  const path = `${at}.ItemReader`;
  compilation.checkFields(value, ['Resource', 'ReaderConfig', 'Arguments'], path);
  if (!/^arn:[a-z-]+:states:::s3:getObject$/.test(String(value['Resource']))) {
    compilation.unsupported(
      `${path}.Resource`,
      `${JSON.stringify(value['Resource'] ?? null)}: only s3:getObject is read here`,
    );
  }
  const config = part(value, 'ReaderConfig') ?? {};
  compilation.checkFields(
    config,
    ['InputType', 'CSVHeaderLocation', 'CSVHeaders', 'CSVDelimiter', 'MaxItems'],
    `${path}.ReaderConfig`,
  );
  const inputType = String(config['InputType'] ?? 'JSON');
  if (!['JSON', 'JSONL', 'CSV'].includes(inputType))
    compilation.unsupported(
      `${path}.ReaderConfig.InputType`,
      `${inputType}: JSON, JSONL and CSV are read here`,
    );
  checkCsv(compilation, config, `${path}.ReaderConfig`);
  checkNumber(compilation, config['MaxItems'], `${path}.ReaderConfig.MaxItems`, { min: 1, max: 100_000_000 });
  const maxItems = templateOf(compilation, config['MaxItems'], `${path}.ReaderConfig.MaxItems`);
  const given = config['CSVHeaderLocation'] === 'GIVEN' && Array.isArray(config['CSVHeaders']);
  return {
    inputType: inputType as ItemReader['inputType'],
    csvDelimiter: delimiters[String(config['CSVDelimiter'] ?? 'COMMA')] ?? ',',
    ...(given ? { csvHeaders: config['CSVHeaders'] as string[] } : {}),
    ...(maxItems ? { maxItems } : {}),
    arguments: templateOf(compilation, value['Arguments'] ?? {}, `${path}.Arguments`) as Template,
  };
}

function writerOf(compilation: Compilation, { raw, at }: Source): Template | undefined {
  const value = part(raw, 'ResultWriter');
  if (!value) return undefined;
  compilation.checkFields(value, ['Resource', 'WriterConfig', 'Arguments'], `${at}.ResultWriter`);
  if (
    value['Resource'] !== undefined &&
    !/^arn:[a-z-]+:states:::s3:putObject$/.test(String(value['Resource']))
  ) {
    compilation.unsupported(`${at}.ResultWriter.Resource`, 'only s3:putObject is written here');
  }
  return templateOf(compilation, value['Arguments'] ?? {}, `${at}.ResultWriter.Arguments`);
}

function batchOf(compilation: Compilation, { raw, at }: Source): Template | undefined {
  const value = part(raw, 'ItemBatcher');
  if (!value) return undefined;
  compilation.checkFields(value, ['MaxItemsPerBatch'], `${at}.ItemBatcher`);
  return templateOf(compilation, value['MaxItemsPerBatch'] ?? 1, `${at}.ItemBatcher.MaxItemsPerBatch`);
}

/** Characters that a Label may not have; it becomes part of the children's ARNs. */
const notInLabel = /[\s?*<>{}[\]:;,\\|^~$#%&`"\p{Cc}]/u;

function checkNumbers(compilation: Compilation, { raw, at }: Source): void {
  const check = (field: string, max: number) =>
    checkNumber(compilation, raw[field], `${at}.${field}`, { min: 0, max });
  check('MaxConcurrency', 1_000_000);
  check('ToleratedFailureCount', 100_000_000);
  check('ToleratedFailurePercentage', 100);
  const { Label: label } = raw;
  const fits =
    typeof label === 'string' && label.length >= 1 && label.length <= 40 && !notInLabel.test(label);
  if (label !== undefined && !fits)
    compilation.invalid(
      `${at}.Label`,
      'must have 1 to 40 characters, without spaces, brackets and : ; , ? * and the like',
    );
}

/** The Map's own part. Distributed-only fields on an inline Map are refused. */
export function compileMap(compilation: Compilation, source: Source): MapPart {
  const { raw, at, name, prefix } = source;
  const processor = part(raw, 'ItemProcessor');
  if (!processor) compilation.invalid(`${at}.ItemProcessor`, 'is needed');
  compilation.checkFields(
    processor ?? {},
    ['ProcessorConfig', 'StartAt', 'States', 'Comment'],
    `${at}.ItemProcessor`,
  );
  const config = part(processor ?? {}, 'ProcessorConfig') ?? {};
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
    for (const field of [
      'ItemReader',
      'ItemBatcher',
      'ResultWriter',
      'ToleratedFailurePercentage',
      'ToleratedFailureCount',
      'Label',
    ]) {
      if (raw[field] !== undefined) compilation.invalid(`${at}.${field}`, 'belongs to a distributed Map');
    }
  }
  checkNumbers(compilation, source);
  const itemReader = readerOf(compilation, source);
  const resultWriter = writerOf(compilation, source);
  const batchSize = batchOf(compilation, source);
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
    ...(batchSize ? { batchSize } : {}),
    processor: compilation.block(processor ?? {}, `${prefix}${name}/*`, `${at}.ItemProcessor`),
  };
}
