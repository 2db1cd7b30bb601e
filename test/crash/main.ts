import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killCampaign } from './kills.ts';

/** `npm run test:crash`: 1,000 real kills, in campaigns with seeds of their own so that a failure can be run again. */
const total = Number(process.argv[2] ?? 1_000);
const perCampaign = 50;
let kills = 0;
let nights = 0;
let failed = 0;
for (let seed = 1; kills < total; seed += 1) {
  const stateDir = join(mkdtempSync(join(tmpdir(), 'epsilon-crash-')), 'state');
  const campaign = await killCampaign({ stateDir, kills: Math.min(perCampaign, total - kills), seed });
  kills += campaign.kills;
  nights += campaign.nights;
  failed += campaign.broken.length;
  process.stdout.write(
    `seed ${seed}: ${campaign.kills} kills, ${campaign.nights} nights, ${campaign.broken.length} broken promises (${kills} of ${total} kills)\n`,
  );
  for (const sentence of campaign.broken) process.stdout.write(`  ${sentence}\n`);
}
process.stdout.write(`${nights} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && kills >= total ? 0 : 1;
