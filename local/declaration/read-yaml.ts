import { readFileSync } from 'node:fs';
import { type CollectionTag, parseDocument, type ScalarTag, type YAMLMap, type YAMLSeq } from 'yaml';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

const scalar = (name: string, make: (text: string) => unknown): ScalarTag => ({
  tag: `!${name}`,
  resolve: (text) => make(text),
});

const collection = (name: string, kind: 'seq' | 'map', make: (value: unknown) => unknown): CollectionTag => ({
  tag: `!${name}`,
  collection: kind,
  resolve: (value) => make((value as YAMLSeq | YAMLMap).toJSON()),
});

const functionNames = [
  ...['And', 'Base64', 'Cidr', 'Equals', 'FindInMap', 'GetAZs', 'If', 'ImportValue', 'Join', 'Not', 'Or'],
  ...['Select', 'Split', 'Sub', 'Transform'],
];

/** CloudFormation's short forms. */
const tags = [
  scalar('Ref', (text) => ({ Ref: text })),
  scalar('Condition', (text) => ({ Condition: text })),
  scalar('GetAtt', (text) => ({ 'Fn::GetAtt': text.split(/\.(.*)/s).slice(0, 2) })),
  collection('GetAtt', 'seq', (value) => ({ 'Fn::GetAtt': value })),
  ...functionNames.flatMap((name) => {
    const make = (value: unknown) => ({ [`Fn::${name}`]: value });
    return [scalar(name, make), collection(name, 'seq', make), collection(name, 'map', make)];
  }),
];

/** An alias may repeat what it names this often: enough for a file written by people, too few for a bomb. */
const maxAliasCount = 100;

function invalid(file: string, message: string, cause?: unknown): EpsilonError {
  return new EpsilonError('SERVICE_INVALID', `${file}: ${message}`, { details: { file }, cause });
}

/** Refuses what would be silently another value in JavaScript. */
function checkValues(value: unknown, file: string, place: string): void {
  if (typeof value === 'number' && !(Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER))
    throw invalid(
      file,
      `${place || 'the value'} is a number that cannot be kept exactly; quote it if it is text.`,
    );
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    if (key === '__proto__')
      throw invalid(file, `the key "__proto__" at ${place || 'the top'} is not allowed.`);
    checkValues(each, file, place === '' ? key : `${place}.${key}`);
  }
}

/** Reads a YAML or JSON file with CloudFormation's tags; faults name file and line (`SERVICE_INVALID`). */
export function readYaml(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(file, `it cannot be read: ${(error as Error).message}.`, error);
  }
  const document = parseDocument(text, { customTags: tags, uniqueKeys: true, merge: true });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault) throw invalid(file, fault.message);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount });
  } catch (error) {
    throw invalid(file, `${(error as Error).message}.`, error);
  }
  checkValues(value, file, '');
  return value;
}
