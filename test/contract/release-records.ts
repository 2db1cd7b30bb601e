import { describe, expect, it } from 'vitest';
import type { ReleaseRecords } from '../../lib/ports/release/release-records.ts';
import { aRelease } from '../fixtures/records.ts';

/** What every adapter of the records of releases must do. */
export function describeReleaseRecords(name: string, make: () => Promise<ReleaseRecords>): void {
  describe(`ReleaseRecords: ${name}`, () => {
    it('release is read back as written, version n + 1 over version n only, and is listed newest first', async () => {
      const releases = await make();
      expect(await releases.get('one')).toBeUndefined();
      const first = aRelease({ releaseId: 'one' });
      await releases.put(first, 0);
      await expect(releases.put(first, 0)).rejects.toMatchObject({ name: 'ConditionFailed' });
      await releases.put({ ...first, outcome: 'kept' }, 1);
      expect(await releases.get('one')).toEqual({ ...first, outcome: 'kept', version: 2 });
      await releases.put(aRelease({ releaseId: 'two', startedAt: '2026-11-25T02:00:00.000Z' }), 0);
      expect((await releases.list()).map(({ releaseId }) => releaseId)).toEqual(['two', 'one']);
    });

    it('token opens for the release that it was sealed for and no other, and is in no list', async () => {
      const releases = await make();
      const sealedToken = await releases.seal('one', 'a secret');
      expect(sealedToken).not.toContain('secret');
      const release = aRelease({ releaseId: 'one' });
      await releases.put({ ...release, sealedToken }, 0);
      const found = await releases.get('one');
      expect(found && (await releases.open(found))).toBe('a secret');
      const other = releases.open({ ...release, releaseId: 'two', sealedToken });
      expect(await other.catch(() => undefined)).toBeUndefined();
      expect(await releases.open(release)).toBeUndefined();
      expect(JSON.stringify(await releases.list())).not.toContain('sealedToken');
    });

    it('one release has the turn until it ends or another is begun instead of it', async () => {
      const releases = await make();
      expect(await releases.begin({ releaseId: 'one' })).toBe('one');
      expect(await releases.begin({ releaseId: 'one' })).toBe('one');
      expect(await releases.begin({ releaseId: 'two' })).toBe('one');
      expect(await releases.begin({ releaseId: 'two', instead: 'zero' })).toBe('one');
      expect(await releases.begin({ releaseId: 'two', instead: 'one' })).toBe('two');
      await releases.end('one');
      expect(await releases.begin({ releaseId: 'three' })).toBe('two');
      await releases.end('two');
      expect(await releases.begin({ releaseId: 'three' })).toBe('three');
      expect(await releases.list()).toEqual([]);
    });
  });
}
