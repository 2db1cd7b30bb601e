import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { isObject } from '../model/json.ts';
import { longestSeconds } from './bounds.ts';
import { Compilation } from './compilation.ts';
import { compileState } from './compile-state.ts';
import type { Fault, Machine } from './machine.ts';
import { isJsonata } from './query-language.ts';

/** Longest definition, in bytes, as the service has it. */
const longestDefinition = 1_048_576;

function asText(definition: unknown): string {
  return typeof definition === 'string' ? definition : JSON.stringify(definition);
}

/** All faults of a definition; empty when it can be run here. */
export function faultsOf(definition: unknown): readonly Fault[] {
  return read(definition).faults;
}

function read(definition: unknown): { readonly faults: readonly Fault[]; readonly machine: Machine } {
  const compilation = new Compilation(compileState);
  const value = isObject(definition) ? definition : {};
  if (!isObject(definition)) compilation.invalid('', 'a definition is a JSON object');
  if (Buffer.byteLength(asText(definition)) > longestDefinition)
    compilation.invalid('', 'a definition has at most 1 MB');
  if (!isJsonata(value)) {
    compilation.unsupported(
      'QueryLanguage',
      'only JSONata definitions run here: set "QueryLanguage": "JSONata", for the machine or for each of its states',
    );
  }
  compilation.checkFields(
    value,
    ['Comment', 'QueryLanguage', 'StartAt', 'States', 'TimeoutSeconds', 'Version'],
    '',
  );
  const timeout = value['TimeoutSeconds'];
  const inTime = Number.isInteger(timeout) && Number(timeout) > 0 && Number(timeout) <= longestSeconds;
  if (timeout !== undefined && !inTime)
    compilation.invalid('TimeoutSeconds', `must be a positive whole number up to ${longestSeconds}`);
  const version = value['Version'];
  if (version !== undefined && version !== '1.0') compilation.invalid('Version', 'must be "1.0"');
  const block = compilation.block(value, '', '');
  return {
    faults: compilation.faults.map((fault) => ({ ...fault, path: fault.path.replace(/^\./, '') })),
    machine: {
      ...block,
      blocks: compilation.blocks,
      ...(typeof timeout === 'number' ? { timeoutSeconds: timeout } : {}),
    },
  };
}

/** Compiles a definition. Throws `ASL_UNSUPPORTED` or `ASL_INVALID` listing every fault with its place. */
export function compileMachine(definition: unknown, name: string): Machine {
  const { faults, machine } = read(definition);
  const first = faults.find((fault) => fault.code === 'ASL_INVALID') ?? faults[0];
  if (!first) return machine;
  const list = faults.map((fault) => `${fault.path || '(definition)'}: ${fault.message}`).join('; ');
  throw new EpsilonError(first.code, `State machine "${name}" cannot be run: ${list}.`, {
    details: { machine: name, faults },
  });
}
