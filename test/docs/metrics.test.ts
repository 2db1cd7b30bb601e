import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { metricDefinitions } from '../../lib/metrics/definitions.ts';
import { namesIn, tableRows } from './tables.ts';

interface Counted {
  readonly name: string;
  readonly unit: 'count' | 'milliseconds';
  readonly dimensions: readonly string[];
}

function sources(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

/** Every metric the code names, with the keys of its dimensions object. */
function counted(): Counted[] {
  const code = sources('lib') + sources('functions');
  const calls = [...code.matchAll(/metrics\.(count|duration)\(([^;]*?)\);/gs)];
  return calls.flatMap(([, method, args = '']) => {
    const object = /\{([^}]*)\}\s*$/.exec(args)?.[1] ?? '';
    const keys = object.split(',').map((entry) => entry.split(':')[0]?.trim() ?? '');
    return [...args.matchAll(/'([A-Z]\w+)'/g)].map(([, name = '']) => ({
      name,
      unit: method === 'count' ? ('count' as const) : ('milliseconds' as const),
      dimensions: keys.filter((key) => key !== ''),
    }));
  });
}

/** Rows of the document's table. */
function listed(): Counted[] {
  return tableRows('docs/metrics.md')
    .filter(([name = '']) => /^`[A-Z]\w+`$/.test(name))
    .map(([name = '', unit = '', dimensions = '']) => ({
      name: name.replaceAll('`', ''),
      unit: unit as Counted['unit'],
      dimensions: namesIn(dimensions),
    }));
}

const known = (all: readonly Counted[]) =>
  [
    ...new Set(
      all.map(({ name, unit, dimensions }) => `${name} ${unit} ${[...dimensions].sort().join(',')}`),
    ),
  ].sort();

describe('docs/metrics.md', () => {
  it('says of each metric what its HELP says', () => {
    const told = tableRows('docs/metrics.md').filter(([name = '']) => /^`[A-Z]\w+`$/.test(name));
    const page = Object.fromEntries(
      told.map(([name = '', , , help = '']) => [name.replaceAll('`', ''), help]),
    );
    const defined = Object.entries(metricDefinitions).map(([name, { help }]) => [name, help]);
    expect(defined.length).toBeGreaterThan(5);
    expect(page).toEqual(Object.fromEntries(defined));
  });

  it('lists every metric that the code counts, with unit and dimensions, and no other', () => {
    expect(known(listed()).length).toBeGreaterThan(5);
    expect(known(listed())).toEqual(known(counted()));
  });
});
