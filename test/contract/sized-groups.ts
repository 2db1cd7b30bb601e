import { describe, expect, it } from 'vitest';
import type { GroupSize, SizedGroups } from '../../lib/ports/serving/sized-groups.ts';

/** Every sentence of the port's documentation, for an adapter over the one group `general-a` of a given size. */
export function sizedGroupsContract(name: string, make: (size: GroupSize) => SizedGroups): void {
  describe(`sized groups: ${name}`, () => {
    it('group has the size that it has, and one that is not there has none', async () => {
      const groups = make({ min: 1, desired: 2, max: 5 });
      expect(await groups.size('general-a')).toEqual({ min: 1, desired: 2, max: 5 });
      expect(await groups.size('constructor')).toBeUndefined();
    });

    it.each([
      ['rises with a higher minimum', 4, { min: 4, desired: 4, max: 5 }],
      ['stays above one', 2, { min: 2, desired: 3, max: 5 }],
      ['is not lowered with one', 0, { min: 0, desired: 3, max: 5 }],
    ])('what is kept %s', async (_, min, size) => {
      const groups = make({ min: 1, desired: 3, max: 5 });
      expect(await groups.setMin('general-a', min)).toBe('set');
      expect(await groups.size('general-a')).toEqual(size);
    });

    it('group that is not there cannot be set', async () => {
      const groups = make({ min: 1, desired: 3, max: 5 });
      await expect(groups.setMin('other', 1)).rejects.toMatchObject({ code: 'GROUP_NOT_FOUND' });
    });
  });
}
