import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { namesIn, tableRows } from './tables.ts';

const files = globSync('test/**/*.ts');

/** Numbers at the beginning of a file's test names: `T1, T6: ...` names two. */
function numbersIn(file: string): Set<string> {
  const names = [...readFileSync(file, 'utf8').matchAll(/['"`](T\d[T\d, ]*): /g)];
  return new Set(names.flatMap(([, numbers = '']) => numbers.split(', ')));
}

const tested = new Map(files.map((file) => [file, numbersIn(file)]));
const used = new Set([...tested.values()].flatMap((numbers) => [...numbers]));
const rows = tableRows('docs/security.md', 'Threats');

describe('docs/security.md', () => {
  it('has a row for every number of a threat that a test name begins with, and no other', () => {
    expect(used.size).toBeGreaterThan(3);
    expect(rows.map(([number]) => number).sort()).toEqual([...used].sort());
  });

  it.each(rows)('row %s says what stops it and names files that test it', (number = '', ...cells) => {
    const [threat, answer, tests = ''] = cells;
    expect(threat).not.toBe('');
    expect(answer).not.toBe('');
    expect(namesIn(tests).length).toBeGreaterThan(0);
    for (const name of namesIn(tests)) {
      expect(files, name).toContain(`test/${name}`);
      expect(tested.get(`test/${name}`), name).toContain(number);
    }
  });
});
