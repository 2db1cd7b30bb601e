import { describe, expect, it } from 'vitest';
import { folded, shortened } from '../../cli/prose.ts';
import { table } from '../../cli/table.ts';

const head = ['TENANT', 'OUTCOME', 'MODEL'];
const rows = [
  ['acme', 'succeeded', 'M'.repeat(26)],
  ['beta', '', 'short'],
];

describe('a table', () => {
  it('is a table where the terminal has room for it', () => {
    expect(table({ columns: 80 }, head, rows).split('\n')).toHaveLength(3);
  });

  it('is one block a row in a narrower terminal, without empty cells', () => {
    expect(table({ columns: 36 }, head, rows)).toBe(
      ['acme', '  outcome  succeeded', `  model    ${'M'.repeat(26)}`, '', 'beta', '  model    short'].join(
        '\n',
      ),
    );
  });

  it('has one line a row where it goes to no terminal, whatever the cells hold', () => {
    const wide = table({ columns: undefined }, head, [
      ['acme', 'two\nlines \u001b[31mred', 'x'.repeat(500)],
      ['文档', 'good', 'y'],
    ]);
    expect(wide.split('\n')).toHaveLength(3);
    expect(wide).not.toContain('\u001b');
  });

  it('counts wide characters as a terminal shows them', () => {
    const lines = table({ columns: 30 }, ['A', 'B'], [['文'.repeat(10), '文'.repeat(5)]]);
    expect(lines).toContain('\n  b  ');
  });
});

describe('a shortened text', () => {
  it('ends between words, and never inside what people see as one character', () => {
    expect(shortened('short', 5)).toBe('short');
    expect(shortened('one two three', 9)).toBe('one two…');
    expect(shortened('👩‍👩‍👧'.repeat(4), 3)).toBe(`${'👩‍👩‍👧'.repeat(2)}…`);
  });
});

describe('prose for a terminal', () => {
  it('is folded between words and under its own indent', () => {
    const text = folded(`  ${'word '.repeat(30).trim()}`, 40);
    for (const line of text.split('\n')) {
      expect(line.length).toBeLessThanOrEqual(40);
      expect(line).toMatch(/^ +word( word)*$/);
    }
  });

  it('leaves commands, JSON and words that are longer than the terminal whole', () => {
    const command = `    epsilon redrive ${'x'.repeat(60)} now`;
    const json = `  "cause": "${'a b '.repeat(40)}"`;
    const long = 'y'.repeat(100);
    expect(folded(command, 40)).toBe(command);
    expect(folded(json, 40)).toBe(json);
    expect(folded(long, 40)).toContain(long);
  });

  it('is not folded where it goes to no terminal', () => {
    const text = 'word '.repeat(100);
    expect(folded(text, undefined)).toBe(text);
  });
});
