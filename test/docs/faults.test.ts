import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { namesIn, tableRows } from './tables.ts';

const files = globSync('test/**/*.ts');

/** Numbers at the beginning of a file's test names: `F5, F21: ...` names two. */
function numbersIn(file: string): Set<string> {
  const names = [...readFileSync(file, 'utf8').matchAll(/['"`](F\d[^:'"`]*): /g)];
  return new Set(names.flatMap(([, numbers = '']) => numbers.split(', ')));
}

const tested = new Map(files.map((file) => [file, numbersIn(file)]));
const used = new Set([...tested.values()].flatMap((numbers) => [...numbers]));
const rows = tableRows('docs/faults.md');

describe('docs/faults.md', () => {
  it('has a row for every number that a test name begins with, and no other', () => {
    expect(used.size).toBeGreaterThan(30);
    expect(rows.map(([number]) => number).sort()).toEqual([...used].sort());
  });

  it.each(rows)('row %s says what happens and names files that test it', (number = '', ...cells) => {
    const [fault, expected, tests = ''] = cells;
    expect(fault).not.toBe('');
    expect(expected).not.toBe('');
    expect(namesIn(tests).length).toBeGreaterThan(0);
    for (const name of namesIn(tests)) {
      const found = files.filter((file) => file === `test/${name}` || file.endsWith(`/${name}`));
      const [file = ''] = found.includes(`test/${name}`) ? [`test/${name}`] : found;
      if (file !== `test/${name}`) expect(found, `files that ${name} names`).toHaveLength(1);
      expect(tested.get(file), file).toContain(number);
    }
  });
});
