import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';
import type jsonata from 'jsonata';

/** One passage of the pinned library that is replaced before it is loaded. */
interface Change {
  readonly from: string;
  /** Where the passage ends, when it is longer than `from`. */
  readonly to?: string;
  readonly by: string;
}

/**
 * Passages of JSONata 2.0.6 that would let an expression take the process down, or see what is no data. What
 * expressions give stays the same.
 */
const changes: readonly Change[] = [
  // Operands of constructors are evaluated one after the other: only then is the depth of an evaluation its nesting.
  {
    from: 'await Promise.all(expr.expressions\n                    .map(async (item, idx) => {',
    by: 'await inOrder(expr.expressions, (async (item, idx) => {',
  },
  {
    from: 'await Promise.all(Object.keys(groups).map(async (key, idx) => {',
    by: 'await inOrder(Object.keys(groups), (async (key, idx) => {',
  },
  // A merge that calls itself once an item, with a copy of what is left, takes 2 GB for 100,000 numbers.
  {
    from: 'var merge_iter = async function (result, left, right) {',
    to: 'await merge_iter(merged, l, r);',
    by: `var merged = [], left = 0, right = 0;
         while (left < l.length && right < r.length)
           merged.push(await comp(l[left], r[right]) ? r[right++] : l[left++]);
         while (left < l.length) merged.push(l[left++]);
         while (right < r.length) merged.push(r[right++]);`,
  },
  // What an object inherits (constructor, toString) is no data.
  {
    from: 'result = input[key];',
    by: 'result = Object.prototype.hasOwnProperty.call(input, key) ? input[key] : undefined;',
  },
  // Keys and variables may have any name, also that of a method.
  { from: 'groups.hasOwnProperty(key)', by: 'Object.prototype.hasOwnProperty.call(groups, key)' },
  { from: 'bindings.hasOwnProperty(name)', by: 'Object.prototype.hasOwnProperty.call(bindings, name)' },
];

function changed(text: string, { from, to, by }: Change): string {
  const start = text.indexOf(from);
  if (start < 0 || text.indexOf(from, start + 1) >= 0)
    throw new Error(
      `The JSONata library is not the one this engine is made for: it has no single "${from}".`,
    );
  const end = to === undefined ? start + from.length : text.indexOf(to, start) + to.length;
  return `${text.slice(0, start)}${by}${text.slice(end)}`;
}

const inOrder = `async function inOrder(list, evaluate) {
  const results = [];
  for (let index = 0; index < list.length; index += 1) results.push(await evaluate(list[index], index));
  return results;
}`;

/** Loads the pinned library with the changes above; throws when a passage is not found exactly once. */
export function loadLibrary(): typeof jsonata {
  const file = createRequire(import.meta.url).resolve('jsonata');
  const text = changes.reduce(changed, readFileSync(file, 'utf8'));
  const wrapped = `(function () { const module = { exports: {} }; const exports = module.exports; ${inOrder}
    ${text}
    return module.exports; })()`;
  return new Script(wrapped, { filename: file }).runInThisContext() as typeof jsonata;
}
