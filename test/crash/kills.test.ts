import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freshDir } from '../local/asl/harness.ts';
import { killCampaign } from './kills.ts';

it('6 kill -9 of the control plane on real processes: every night finishes, no finished stage runs again, no stage has two jobs', async () => {
  const { kills, amidst, broken } = await killCampaign({
    stateDir: join(freshDir(), 'state'),
    kills: 6,
    seed: 20261124,
  });
  expect(broken).toEqual([]);
  expect(kills).toBe(6);
  expect(amidst).toBeGreaterThan(0);
}, 300_000);
