import { keyFinder, pointersOf } from '../../backup/pointers.ts';
import { inParallel } from '../../concurrency/in-parallel.ts';
import type { RetiredOutputs } from '../../ports/backup/retirement.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { Ports } from '../../ports/ports.ts';
import { replicaUri } from './read-replicas.ts';
import { required } from './required.ts';

type Needed = Pick<Ports, 'models' | 'retirement' | 'objects' | 'replica' | 'config' | 'clock' | 'log'>;

const dayMs = 86_400_000;

/** Outputs that are removed side by side. */
const atOnce = 8;

/** What a pass removed, by region; `kept` are outputs that a record names again. */
export interface RetiredRemoved {
  here: number;
  there: number;
  kept: number;
  left: number;
}

async function removeBelow(
  objects: Pick<ObjectStore, 'list' | 'delete'>,
  prefixUri: string,
): Promise<number> {
  let removed = 0;
  for await (const { uri } of objects.list(prefixUri)) {
    await objects.delete(uri);
    removed += 1;
  }
  return removed;
}

/** Whether a record of the tenant names anything below the outputs now. */
async function isNamed({ models }: Needed, { tenantId, prefix }: RetiredOutputs): Promise<boolean> {
  const [live, listed] = await Promise.all([models.live(tenantId), models.list(tenantId)]);
  return keyFinder(pointersOf([...listed, ...(live ? [live] : [])]))(prefix);
}

/**
 * Removes the objects of outputs that were retired so long ago that no moment which a store can be restored to names them: in this region
 * after `objectDays`, in the other one, which follows no deletion, `replicaDays` later. What a record names again stays.
 */
export async function removeRetired(ports: Needed, hasTime: () => boolean): Promise<RetiredRemoved> {
  const { config, clock, objects, log } = ports;
  const { recovery } = config;
  const removed: RetiredRemoved = { here: 0, there: 0, kept: 0, left: 0 };
  if (recovery.mode === 'off') return removed;
  const [retirement, replica] = [required(ports.retirement), required(ports.replica)];
  const { objectDays, replicaDays } = recovery.retention;
  const before = (days: number) => new Date(clock.now() - days * dayMs).toISOString();
  const replicaDue = before(objectDays + replicaDays);
  await inParallel(await retirement.retired(before(objectDays)), atOnce, async (outputs) => {
    const isReplicaDue = outputs.at < replicaDue;
    if (outputs.goneHere && !isReplicaDue) return;
    if (!hasTime()) {
      removed.left += 1;
      return;
    }
    if (await isNamed(ports, outputs)) {
      removed.kept += 1;
      await retirement.end(outputs);
      return;
    }
    if (!outputs.goneHere) {
      removed.here += await removeBelow(objects, `s3://${outputs.prefix}`);
      await retirement.noteGone(outputs);
    }
    if (!isReplicaDue) return;
    removed.there += await removeBelow(replica.objects, replicaUri(outputs.prefix, config, replica.bucket));
    await retirement.end(outputs);
  });
  log.info('retired objects removed', { ...removed });
  return removed;
}
