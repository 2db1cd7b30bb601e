import { describe, expect, it } from 'vitest';
import { TurnoverMap } from '../../../../local/asl/model/turnover-map.ts';

describe('a TurnoverMap', () => {
  it('holds what a Map holds, in the same order, however many entries came and went', () => {
    const [map, reference] = [new TurnoverMap<number, string>(), new Map<number, string>()];
    for (let key = 0; key < 5_000; key += 1) {
      map.set(key, `value ${key}`);
      reference.set(key, `value ${key}`);
      // Every seventh stays; some are taken out twice, or never were in.
      const gone = key - 100;
      if (gone % 7 !== 0) {
        map.delete(gone);
        reference.delete(gone);
      }
      if (key % 50 === 0) {
        map.delete(gone);
        reference.delete(gone);
      }
    }
    expect([...map.keys()]).toEqual([...reference.keys()]);
    expect([...map.values()]).toEqual([...reference.values()]);
    expect(map.size).toBe(reference.size);
    expect([map.get(4_999), map.has(4_999), map.get(1), map.has(1)]).toEqual([
      'value 4999',
      true,
      undefined,
      false,
    ]);
  });
});
