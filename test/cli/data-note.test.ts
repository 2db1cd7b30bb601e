import { describe, expect, it } from 'vitest';
import { dataNote } from '../../cli/executions/data-note.ts';

const prepare = (documents: object) => ({ stage: 'prepare', result: { documents } }) as const;

describe('dataNote', () => {
  it('says what was left out, and which passages no question finds', () => {
    const documents = { found: 30, used: 28, duplicate: 1, notText: 1, empty: 0, tooLarge: 0 };
    const index = { stage: 'index', result: { vectors: 683, withoutVector: 2 } } as const;
    expect(dataNote([prepare(documents), index]).split('\n')).toEqual([
      '28 of 30 documents were used; left out: 1 × no UTF-8 text, 1 × the same text as another.',
      'No question finds 2 of 685 passages: none of their words occurs in the data twice.',
    ]);
  });

  it('takes the last attempt of a stage, and says nothing where there is nothing to say', () => {
    const failed = { stage: 'prepare' } as const;
    expect(
      dataNote([prepare({ found: 2, used: 1, empty: 1 }), failed, prepare({ found: 2, used: 2, empty: 0 })]),
    ).toBe('');
    expect(dataNote([{ stage: 'prepare', result: { documents: 12 } }])).toBe('');
    expect(dataNote([])).toBe('');
  });
});
