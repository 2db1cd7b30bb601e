import { attemptAfterRestore, fenceFloor, runAfterRestore } from '../../backup/recovery.ts';
import { inParallel } from '../../concurrency/in-parallel.ts';
import type { RecordsRecovered, RecordsRecovery, ScheduledClaim } from '../../ports/backup/table-service.ts';
import { absent, any, compare, present } from './expressions.ts';
import { claimKey, recoveryKeys, tenantKeys, tenantsPartition } from './keys.ts';
import { moveRecords } from './move-records.ts';
import { openItems } from './open-work.ts';
import { attemptForm, runForm } from './records.ts';
import { keptDays } from './schema.ts';
import { partitionIs, type Table } from './table.ts';
import type { Item } from './table-errors.ts';

/** Writes at a time. */
const atOnce = 8;
const everything = { shard: 0, shards: 1 };
const closed = { openPart: null, openOrder: null };
const keyOf = (item: Item) => ({ pk: String(item['pk']), sk: String(item['sk']) });

/** Claims a scheduled time for the execution that had it, unless the restored records know who has it. */
async function claimAgain(table: Table, { machine, scheduledTime, holder, claimedAt }: ScheduledClaim) {
  const ttl = Math.floor(Date.parse(claimedAt) / 1000) + keptDays.claim * 86_400;
  await table.put({ ...claimKey(machine, scheduledTime), holder, claimedAt, ttl }, absent('pk'));
}

/**
 * Makes a restored table one that starts with nothing under way: open attempts are lost, running runs aborted, leases released with
 * fences above all that were ever issued; what was claimed after the point is claimed again, and records name the bucket that goes on.
 * It can be done again; the number of the epoch is written last.
 */
export async function recoverTable(
  table: Table,
  { epoch, at, cause, claims, buckets }: RecordsRecovery,
): Promise<RecordsRecovered> {
  const attempts = await openItems(table, 'ATTEMPT', everything);
  await inParallel(attempts, atOnce, async (item) => {
    const after = attemptAfterRestore(attemptForm.read(item), at, cause);
    const changes = { ...attemptForm.write(after), ...closed, sealedToken: null };
    await table.update(keyOf(item), changes, present('pk'));
  });
  const runs = await openItems(table, 'RUN', everything);
  await inParallel(runs, atOnce, async (item) => {
    const after = runAfterRestore(runForm.read(item), at, cause);
    await table.update(keyOf(item), { ...runForm.write(after), ...closed }, present('pk'));
  });
  const tenants = await table.query({ partition: partitionIs(tenantsPartition) });
  const floor = fenceFloor(epoch);
  let leases = 0;
  await inParallel(tenants, atOnce, async ({ sk }) => {
    const changes = {
      tenantId: sk,
      holder: 'recovery',
      expiresAt: at,
      redriveCount: 0,
      held: false,
      fence: floor,
    };
    const key = tenantKeys.lease(String(sk));
    const { done } = await table.update(key, changes, any(absent('pk'), compare('fence', '<', floor)));
    if (done) leases += 1;
  });
  await inParallel(claims, atOnce, (claim) => claimAgain(table, claim));
  const changed = await moveRecords(
    table,
    tenants.map(({ sk }) => String(sk)),
    buckets,
  );
  await table.update(recoveryKeys.epoch, { epoch, at }, any(absent('pk'), compare('epoch', '<=', epoch)));
  return { runs: runs.length, attempts: attempts.length, leases, claims: claims.length, ...changed };
}
