import { isObject, type Json } from '../model/json.ts';
import { longestDelay, longestSeconds } from './bounds.ts';
import type { Compilation } from './compilation.ts';
import { type Source, templatesOf } from './compile-fields.ts';
import { checkAssign, checkTarget, checkWildcard } from './compile-literals.ts';
import type { Catcher, Retrier } from './machine.ts';

function names(compilation: Compilation, value: Json | undefined, path: string): string[] {
  if (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((name) => typeof name === 'string' && name !== '')
  )
    return value as string[];
  compilation.invalid(path, 'must be a list of at least one error name');
  return [];
}

function bounded(
  compilation: Compilation,
  value: Json | undefined,
  path: string,
  rule: { fallback: number; min: number; max: number; whole?: boolean },
): number {
  if (value === undefined) return rule.fallback;
  const fits =
    typeof value === 'number' &&
    value >= rule.min &&
    value <= rule.max &&
    (!rule.whole || Number.isInteger(value));
  if (!fits)
    compilation.invalid(
      path,
      `must be ${rule.whole ? 'a whole number' : 'a number'} from ${rule.min} to ${rule.max}, not ${JSON.stringify(value)}`,
    );
  return fits ? value : rule.fallback;
}

/** The Retry of a state. */
export function compileRetry(compilation: Compilation, { raw, at }: Source): Retrier[] {
  const list = raw['Retry'] ?? [];
  if (!Array.isArray(list)) {
    compilation.invalid(`${at}.Retry`, 'must be a list');
    return [];
  }
  const retriers = list.map((entry, index) => {
    const path = `${at}.Retry[${index}]`;
    const value = isObject(entry) ? entry : {};
    if (!isObject(entry)) compilation.invalid(path, 'must be an object');
    compilation.checkFields(
      value,
      [
        'ErrorEquals',
        'IntervalSeconds',
        'MaxAttempts',
        'BackoffRate',
        'MaxDelaySeconds',
        'JitterStrategy',
        'Comment',
      ],
      path,
    );
    const jitter = value['JitterStrategy'];
    if (jitter !== undefined && jitter !== 'FULL' && jitter !== 'NONE')
      compilation.invalid(`${path}.JitterStrategy`, 'must be FULL or NONE');
    const number = (field: string, rule: { fallback: number; min: number; max: number; whole?: boolean }) =>
      bounded(compilation, value[field], `${path}.${field}`, rule);
    return {
      errorEquals: names(compilation, value['ErrorEquals'], `${path}.ErrorEquals`),
      intervalSeconds: number('IntervalSeconds', { fallback: 1, min: 1, max: longestSeconds, whole: true }),
      maxAttempts: number('MaxAttempts', { fallback: 3, min: 0, max: longestSeconds, whole: true }),
      backoffRate: number('BackoffRate', { fallback: 2, min: 1, max: 1_000 }),
      ...(value['MaxDelaySeconds'] === undefined
        ? {}
        : {
            maxDelaySeconds: number('MaxDelaySeconds', {
              fallback: 1,
              min: 1,
              max: longestDelay,
              whole: true,
            }),
          }),
      jitter: jitter === 'FULL',
    };
  });
  checkWildcard(
    compilation,
    retriers.map(({ errorEquals }) => errorEquals),
    `${at}.Retry`,
  );
  return retriers;
}

/** The Catch of a state. */
export function compileCatch(compilation: Compilation, { raw, at }: Source): Catcher[] {
  const list = raw['Catch'] ?? [];
  if (!Array.isArray(list)) {
    compilation.invalid(`${at}.Catch`, 'must be a list');
    return [];
  }
  const catchers = list.map((entry, index) => {
    const path = `${at}.Catch[${index}]`;
    const value = isObject(entry) ? entry : {};
    compilation.checkFields(value, ['ErrorEquals', 'Next', 'Output', 'Assign', 'Comment'], path);
    if (!isObject(entry)) compilation.invalid(path, 'must be an object');
    checkAssign(compilation, value['Assign'], `${path}.Assign`);
    checkTarget(compilation, value['Next'], `${path}.Next`);
    return {
      errorEquals: names(compilation, value['ErrorEquals'], `${path}.ErrorEquals`),
      next: String(value['Next'] ?? ''),
      ...templatesOf(
        compilation,
        { name: '', raw: value, at: path, prefix: '', within: `Catch[${index}]/` },
        { output: 'Output', assign: 'Assign' },
        'errorOutput',
      ),
    };
  });
  checkWildcard(
    compilation,
    catchers.map(({ errorEquals }) => errorEquals),
    `${at}.Catch`,
  );
  return catchers;
}
