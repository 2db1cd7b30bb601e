import { type ApiObject, fieldOf } from './objects.ts';

type Test = (object: ApiObject) => boolean;

/** Splits at commas that are not inside brackets. */
function parts(selector: string): string[] {
  return selector.match(/(?:[^,(]|\([^)]*\))+/g)?.map((part) => part.trim()) ?? [];
}

function labelTest(part: string): Test {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(part);
  if (set) {
    const [, key = '', word, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    return ({ metadata }) => values.has(metadata.labels?.[key] ?? '') === (word === 'in');
  }
  const equal = /^([^=!]+?)\s*(!=|==?)\s*(.*)$/.exec(part);
  if (!equal) return ({ metadata }) => metadata.labels?.[part] !== undefined;
  const [, key = '', sign, value] = equal;
  return ({ metadata }) => (metadata.labels?.[key] === value) === (sign !== '!=');
}

function fieldTest(part: string): Test {
  const [, path = '', sign, value] = /^([^=!]+)(!=|==?)(.*)$/.exec(part) ?? [];
  return (object) => (String(fieldOf(object, path) ?? '') === value) === (sign !== '!=');
}

/** What a list's or a watch's two selectors let through. */
export function selects(labels: string | null, fields: string | null): Test {
  const tests = [...parts(labels ?? '').map(labelTest), ...parts(fields ?? '').map(fieldTest)];
  return (object) => tests.every((test) => test(object));
}
