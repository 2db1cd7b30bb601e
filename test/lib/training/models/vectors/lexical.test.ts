import { describe, expect, it } from 'vitest';
import { QuestionWords } from '../../../../../lib/training/models/vectors/lexical.ts';

const passages = [
  { source: 'a/MockAgent.md', text: 'Answers requests in tests.' },
  { source: 'b.md', text: 'A cache keeps responses; cached answers are quick. Caching saves requests.' },
  { source: 'c.md', text: 'Rivers carry water to the sea.' },
  { source: 'd.md', text: 'requests requests requests requests requests requests requests requests' },
];
const scoresOf = (question: string, of = passages) => {
  const words = new QuestionWords(question);
  for (const passage of of) words.add(passage);
  return [...words.scores()];
};
const best = (question: string) => {
  const scores = scoresOf(question);
  return scores.indexOf(Math.max(...scores));
};

describe('an index of the words of passages', () => {
  it('scores passages by the rarity of the words they share with a question, and those that share none with 0', () => {
    expect(best('water in rivers')).toBe(2);
    expect(scoresOf('water').filter((score) => score > 0)).toHaveLength(1);
    expect(scoresOf('xyzzy')).toEqual([0, 0, 0, 0]);
  });

  it('finds other forms of a word, and the very word before them', () => {
    expect(scoresOf('river')[2]).toBeGreaterThan(0);
    const both = ['a river', 'two rivers'].map((text) => ({ source: text, text }));
    expect(scoresOf('rivers', both)).toEqual([expect.any(Number), Math.max(...scoresOf('rivers', both))]);
    expect(best('caches')).toBe(1);
  });

  it("takes the words of a document's name for words of its passages", () => {
    expect(best('mock agent')).toBe(0);
  });

  it('finds a passage by what only its document says', () => {
    const pages = [
      { source: 'sea.md', text: 'Waves come and go.' },
      { source: 'tea.md', text: 'Boil water.' },
      { source: 'tea.md', text: 'Wait for some minutes.' },
      { source: 'egg.md', text: 'Wait for some minutes.' },
    ];
    const [waves, boil, wait, egg] = scoresOf('water minutes', pages);
    expect(wait).toBeGreaterThan(egg ?? 0);
    expect(boil).toBeGreaterThan(waves ?? 0);
    expect(waves).toBe(0);
  });

  it('is not outweighed by one word that is repeated', () => {
    expect(best('cached responses of requests')).toBe(1);
  });

  it('has no scores where there are no passages', () => {
    expect([...new QuestionWords('water').scores()]).toEqual([]);
  });
});
