import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const pages = [...globSync('*.md'), ...globSync('docs/**/*.md')];
const read = (page: string) => readFileSync(page, 'utf8');

/** Files that a page links to, as paths of the repository. */
function linksOf(page: string): string[] {
  const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^(https?:|mailto:|#)/.test(target))
    .map((target) => join(dirname(page), target.replace(/#.*$/, '')));
}

describe('documents', () => {
  it('link to files that exist', () => {
    const links = pages.flatMap((page) => linksOf(page).map((target) => `${page} -> ${target}`));
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((link) => !existsSync(link.split(' -> ')[1] ?? ''))).toEqual([]);
  });

  it('are all reached from README.md, by one link or several', () => {
    const reached = new Set(['README.md']);
    for (const page of reached) {
      for (const target of linksOf(page)) if (pages.includes(target)) reached.add(target);
    }
    expect(pages.filter((page) => !reached.has(page))).toEqual([]);
  });
});

describe('docs/decisions', () => {
  const records = readdirSync('docs/decisions').filter((name) => name !== 'README.md');

  it('has six records or more, numbered without a gap and listed in the index', () => {
    expect(records.length).toBeGreaterThanOrEqual(6);
    const numbers = records.sort().map((name) => Number(name.slice(0, 4)));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    for (const name of records)
      expect(linksOf('docs/decisions/README.md')).toContain(`docs/decisions/${name}`);
  });

  it.each(records)('record %s says context, decision, consequences and what would change it', (name) => {
    const sections = read(`docs/decisions/${name}`).split('\n## ').slice(1);
    const texts = sections.map((section) => section.split('\n'));
    expect(texts.map(([heading]) => heading)).toEqual([
      'Context',
      'Decision',
      'Consequences',
      'What would change our mind',
    ]);
    for (const [heading, ...text] of texts) expect(text.join('').length, heading).toBeGreaterThan(40);
  });
});
