import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { checkSchema } from '../../lib/errors/check-schema.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { contractSchema, type DatasetContract } from '../../lib/quality/datasets/contract.ts';
import { plain } from '../output.ts';

/** The contract in a file, YAML or JSON. `CONTRACT_UNREADABLE`, `CONTRACT_INVALID`. */
export function readContract(file: string): DatasetContract {
  let value: unknown;
  try {
    value = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new EpsilonError('CONTRACT_UNREADABLE', `${file}: ${plain((error as Error).message)}.`, {
      cause: error,
    });
  }
  const checked = checkSchema(contractSchema, value);
  if (checked.success) return checked.data;
  const { path, unknownKey, sentence } = checked.fault;
  const place = [...path, ...(unknownKey === undefined ? [] : [unknownKey])].join('.');
  const said = unknownKey === undefined ? sentence : 'no such key';
  throw new EpsilonError('CONTRACT_INVALID', `${file}${place === '' ? '' : `, ${place}`}: ${said}.`);
}
