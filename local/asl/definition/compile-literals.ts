import { type Bounds, expressionIn, isWithin } from '../jsonata/template.ts';
import type { Json } from '../model/json.ts';
import { isObject } from '../model/json.ts';
import type { Compilation } from './compilation.ts';

const isExpression = (value: Json) => typeof value === 'string' && expressionIn(value) !== undefined;

/** A field that holds a number within bounds or an expression; what can be seen when loading is refused then. */
export function checkNumber(
  compilation: Compilation,
  value: Json | undefined,
  path: string,
  bounds: Bounds,
): void {
  if (value === undefined || isExpression(value)) return;
  if (isWithin(value, bounds)) return;
  const { min, max, whole = true } = bounds;
  compilation.invalid(
    path,
    `must be a ${whole ? 'whole ' : ''}number from ${min} to ${max} or an expression, not ${JSON.stringify(value)}`,
  );
}

/** Variable names: an identifier of at most 80 characters; `states` belongs to the service. */
const variableName = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u;

/** `Assign` is an object whose keys are names of variables. */
export function checkAssign(compilation: Compilation, value: Json | undefined, path: string): void {
  if (value === undefined) return;
  if (!isObject(value)) {
    compilation.invalid(path, 'must be an object of variables');
    return;
  }
  for (const name of Object.keys(value)) {
    if (name === 'states') compilation.invalid(`${path}.${name}`, '$states is reserved');
    else if ([...name].length > 80 || !variableName.test(name))
      compilation.invalid(
        `${path}.${name}`,
        'is no name of a variable: it begins with a letter, goes on with letters, digits and _, and has at most 80 characters',
      );
    else if (compilation.isAssignedOutside(name))
      compilation.invalid(
        `${path}.${name}`,
        `the variable is assigned outside of this part, where alone it may be; take another name`,
      );
  }
}

/** Text or an expression that gives it. */
export function checkText(compilation: Compilation, value: Json | undefined, path: string): void {
  if (value !== undefined && typeof value !== 'string')
    compilation.invalid(path, `must be text or an expression, not ${JSON.stringify(value)}`);
}

/** The name of the state that follows. */
export function checkTarget(compilation: Compilation, value: Json | undefined, path: string): void {
  if (typeof value !== 'string' || value === '')
    compilation.invalid(path, `must be the name of a state, not ${JSON.stringify(value ?? null)}`);
}

/** `States.ALL` stands alone, and in the last entry: what follows it could never be reached. */
export function checkWildcard(
  compilation: Compilation,
  lists: readonly (readonly string[])[],
  path: string,
): void {
  lists.forEach((names, index) => {
    if (!names.includes('States.ALL')) return;
    const at = `${path}[${index}].ErrorEquals`;
    if (names.length > 1) compilation.invalid(at, 'States.ALL must stand alone');
    if (index < lists.length - 1) compilation.invalid(at, 'States.ALL must be in the last entry');
  });
}
