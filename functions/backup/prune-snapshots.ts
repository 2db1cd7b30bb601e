import { z } from 'zod';
import { snapshotPrefix } from '../../lib/backup/cloud/plan.ts';
import { expiredSnapshots } from '../../lib/backup/cloud/snapshot-retention.ts';
import { awsDatabases, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { required } from '../../lib/operations/backup/required.ts';

/** The plan of the day's snapshot, which is not looked at here. */
const input = z.object({});

const aws = [awsStores, awsDatabases] as const;

/** Drills that are looked back at for the newest point that one proved. */
const drills = 20;

/** Removes snapshots whose time is over, in both regions; none before something newer was restored and verified. */
export function createPruneSnapshots(ports: Wired<typeof aws>) {
  return async (_: z.output<typeof input>) => {
    const { config, clock, recoveryRecords, log } = ports;
    const { recovery, environment } = config;
    if (recovery.mode === 'off') return { outcome: 'off' };
    const passed = (await recoveryRecords.newest('drill', drills)).filter((drill) => drill.passed);
    const verifiedTo = passed
      .map(({ point }) => point)
      .sort()
      .at(-1);
    const removed: string[] = [];
    const { home, there } = required(ports.databases);
    for (const service of [home, there]) {
      const all = await service.snapshots(snapshotPrefix(environment));
      for (const { id } of expiredSnapshots(all, recovery, verifiedTo, clock.now())) {
        await service.removeSnapshot(id);
        removed.push(`${service.region}/${id}`);
      }
    }
    if (removed.length > 0) log.info('snapshots removed', { removed, verifiedTo: verifiedTo ?? '' });
    return { outcome: 'pruned', removed, verifiedTo: verifiedTo ?? null };
  };
}

export const handler = defineHandler({ name: 'pruneSnapshots', input, aws, create: createPruneSnapshots });
