import { readFileSync } from 'node:fs';
import { type CollectionTag, parseDocument, type ScalarTag } from 'yaml';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

const scalar = (tag: string, make: (text: string) => unknown): ScalarTag => ({
  tag,
  resolve: (text) => make(text),
});

const list = (tag: string, key: string): CollectionTag => ({
  tag,
  collection: 'seq',
  resolve: (value) => ({ [key]: (value as { toJSON(): unknown }).toJSON() }),
});

/** CloudFormation's short forms. */
const tags = [
  scalar('!Ref', (text) => ({ Ref: text })),
  scalar('!Sub', (text) => ({ 'Fn::Sub': text })),
  scalar('!GetAtt', (text) => ({ 'Fn::GetAtt': text.split(/\.(.*)/s).slice(0, 2) })),
  scalar('!ImportValue', (text) => ({ 'Fn::ImportValue': text })),
  scalar('!Condition', (text) => ({ Condition: text })),
  ...['Sub', 'Join', 'If', 'Equals', 'Select', 'Split', 'Not', 'And', 'Or', 'FindInMap'].map((name) =>
    list(`!${name}`, `Fn::${name}`),
  ),
];

/** Reads a YAML or JSON file with CloudFormation's tags; faults name file and line (`SERVICE_INVALID`). */
export function readYaml(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new EpsilonError('SERVICE_INVALID', `${file} cannot be read: ${(error as Error).message}.`, {
      cause: error,
    });
  }
  const document = parseDocument(text, { customTags: tags, uniqueKeys: true, merge: true });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault) throw new EpsilonError('SERVICE_INVALID', `${file}: ${fault.message}`, { details: { file } });
  return document.toJS({ maxAliasCount: 100 }) as unknown;
}
