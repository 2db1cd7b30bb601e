import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FingerprintSet } from '../../../lib/documents/fingerprints.ts';
import { passagesOf } from '../../../lib/documents/passages.ts';
import { Tally } from '../../../lib/documents/tally.ts';
import { normaliseText } from '../../../lib/documents/text.ts';

const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

describe('passages', () => {
  it.each([
    ['emoji', '😀'],
    ['a family of joined emoji', '👨‍👩‍👧‍👦'],
    ['flags', '🇹🇷'],
    ['letters with marks', 'नि'],
    ['Chinese', '我们今天去北京大学学习'],
    ['Thai', 'ภาษาไทยไม่มีช่องว่าง'],
  ])('never cut inside a character: %s', (_, unit) => {
    for (let shift = 0; shift < 12; shift += 1) {
      const text = 'x'.repeat(shift) + unit.repeat(1_000);
      const passages = passagesOf('a', text);
      expect(passages.length).toBeGreaterThan(1);
      expect(passages.map((one) => one.text).join('')).toBe(text);
      const characters = new Intl.Segmenter('und', { granularity: 'grapheme' });
      const count = (one: string) => [...characters.segment(one)].length;
      expect(passages.reduce((sum, one) => sum + count(one.text), 0)).toBe(count(text));
      for (const passage of passages) expect(passage.text).not.toMatch(lone);
    }
  });

  it('hold all text but crumbs and blanks, and never half a surrogate pair', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 0, maxLength: 4_000 }), (given) => {
        const text = normaliseText(given);
        for (const passage of passagesOf('a', text)) {
          expect(passage.text.length).toBeLessThanOrEqual(1_800);
          if (!lone.test(text)) expect(passage.text).not.toMatch(lone);
        }
      }),
    );
  });

  it('keep a document that is short as a whole, and drop crumbs of a longer one', () => {
    expect(passagesOf('a', 'Short.').map((one) => one.text)).toEqual(['Short.']);
    expect(passagesOf('a', '北京大学')).toHaveLength(1);
    expect(passagesOf('a', '***')).toEqual([]);
    const long = `${'word '.repeat(150).trim()}\n\nSmall.`;
    expect(passagesOf('a', long).map((one) => one.text)).toEqual(['word '.repeat(150).trim()]);
  });

  it('of a document of one endless line take time in proportion to it', () => {
    expect(passagesOf('a', 'x'.repeat(2_000_000)).length).toBeGreaterThan(3_000);
  });
});

describe('normalising', () => {
  it('gives composed and decomposed spelling the same form, without invisible marks', () => {
    expect(normaliseText('cafe\u0301\u00ad \ufeffx\r\n\r\n\r\n\u2028y\t\u00a0z ')).toBe('café x\n\ny z');
  });
});

describe('a set of fingerprints', () => {
  it('knows exactly what was added, also where digits collide in part', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc
            .constantFrom('0', '1', 'f')
            .chain((digit) =>
              fc.nat(5_000).map((n) => `${digit.repeat(8)}${n.toString(16).padStart(8, '0')}`),
            ),
        ),
        (all) => {
          const set = new FingerprintSet();
          const known = new Set<string>();
          for (const one of all) {
            // Zero is kept as one.
            const key = one === '0'.repeat(16) ? `${'0'.repeat(15)}1` : one;
            expect(set.add(one)).toBe(!known.has(key));
            known.add(key);
          }
          expect(set.size).toBe(known.size);
        },
      ),
    );
  });

  it('takes less than 24 bytes each for a hundred thousand', () => {
    const set = new FingerprintSet();
    for (let at = 0; at < 100_000; at += 1)
      set.add(
        `${(Math.imul(at, 0x9e3779b9) >>> 0).toString(16).padStart(8, '0')}${at.toString(16).padStart(8, '0')}`,
      );
    expect(set.size).toBe(100_000);
    expect(set.bytes / set.size).toBeLessThan(24);
  });
});

describe('a tally', () => {
  it('takes the first of equal texts up to the cap, counts the rest and names what is at fault', () => {
    const tally = new Tally(2);
    expect(tally.take({ source: 'a', text: 'one' })).toBe('one');
    expect(tally.take({ source: 'b', text: 'one' })).toBeUndefined();
    expect(tally.take({ source: 'c', text: 'two' })).toBe('two');
    expect(tally.take({ source: 'd', text: 'three' })).toBeUndefined();
    tally.take({ source: '.git/', skipped: 'hidden' });
    tally.take({ source: 'a\nb.pdf', skipped: 'binary', detail: 'a PDF file' });
    for (let at = 0; at < 9; at += 1) tally.take({ source: `e${at}`, skipped: 'empty' });
    expect(tally.counts).toMatchObject({
      found: 14,
      used: 2,
      duplicate: 1,
      overCap: 1,
      hidden: 1,
      binary: 1,
      empty: 9,
    });
    expect(tally.named).toHaveLength(7);
    expect(tally.describe()).toContain('1 × another kind of file ("a\\nb.pdf" a PDF file)');
    expect(tally.describe()).toContain('9 × empty ("e0", "e1", "e2", ...)');
  });
});
