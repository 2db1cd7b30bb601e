import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { namesIn, tableRows } from './tables.ts';

const page = 'docs/glossary.md';
const terms = tableRows(page, 'Terms');
const files = globSync('{lib,functions,local,cli,workload,watcher}/**/*.ts');
const code = files.map((file) => readFileSync(file, 'utf8')).join('\n');

describe('docs/glossary.md', () => {
  it('explains each term once, in the order of the alphabet', () => {
    const words = terms.map(([term = '']) => term);
    expect(words.length).toBeGreaterThan(25);
    expect(words).toEqual([...new Set(words)].sort());
    for (const [term, meaning] of terms) expect(meaning, term).not.toBe('');
  });

  it('names what the code has', () => {
    const names = terms.flatMap(([, , inCode = '']) => namesIn(inCode));
    expect(names.length).toBeGreaterThan(25);
    for (const name of names) {
      const there = name.includes('/')
        ? existsSync(name)
        : name.endsWith('.ts')
          ? files.some((file) => file.endsWith(`/${name}`))
          : new RegExp(`\\b${name}\\b`).test(code);
      expect(there, name).toBe(true);
    }
  });

  it('says for each word that is not used what is said instead', () => {
    const rows = tableRows(page, 'We do not say');
    expect(rows.length).toBeGreaterThan(10);
    for (const [not, , but] of rows) expect(but, not).not.toBe('');
  });
});
