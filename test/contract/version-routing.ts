import { describe, expect, it } from 'vitest';
import type { VersionRouting } from '../../lib/ports/release/version-routing.ts';

/** A routing whose machine `autoscaling` is at one version, and whose `tenant-model-training` a deploy is moving. */
export function versionRoutingContract(name: string, make: () => Promise<VersionRouting>): void {
  describe(`version routing: ${name}`, () => {
    it('machine that no deploy moves has one version', async () => {
      const [only, ...more] = await (await make()).current('autoscaling');
      expect(only).toEqual({ versionArn: expect.stringMatching(/autoscaling:1$/), weight: 100 });
      expect(more).toEqual([]);
    });

    it('machine that a deploy moves has the older version first, and one again once it is routed', async () => {
      const routing = await make();
      const [before, after] = await routing.current('tenant-model-training');
      expect(before).toEqual({ versionArn: expect.stringMatching(/training:9$/), weight: 90 });
      expect(after).toEqual({ versionArn: expect.stringMatching(/training:10$/), weight: 10 });
      await routing.route('tenant-model-training', before?.versionArn ?? '');
      expect(await routing.current('tenant-model-training')).toEqual([
        { versionArn: before?.versionArn, weight: 100 },
      ]);
    });
  });
}
