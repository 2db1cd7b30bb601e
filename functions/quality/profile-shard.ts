import { inParallel } from '../../lib/concurrency/in-parallel.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { profileTenant } from '../../lib/files/profile-tenant.ts';
import { awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { type ProfileEntry, writeShardFile } from '../../lib/operations/quality/shard-files.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import { learntOf } from '../../lib/quality/baseline.ts';
import { type CheckShard, shardSchema } from '../../lib/quality/check-input.ts';
import { rulesOf } from '../../lib/quality/rules.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import { isOfShard } from '../../lib/training/shards.ts';

/** Tenants of a shard that are looked at side by side. */
const atOnce = 8;

/** Milliseconds after which no further tenant is begun, so that the function ends within its time; they keep their verdict. */
const longest = 12 * 60_000;

const aws = [awsStores, awsObjects] as const;

/** Looks at the data of a shard's tenants and writes what it found. */
export function createProfileShard(ports: Wired<typeof aws>) {
  const { tenants, verdicts, objects, clock, config, log, metrics } = ports;

  async function look(tenant: Tenant): Promise<ProfileEntry> {
    const { tenantId } = tenant;
    const about = { tenantId, checkedAt: isoNow(clock), rules: rulesOf(tenant.quality) };
    let learnt = 0;
    try {
      const memory = await verdicts.memory(tenantId);
      learnt = learntOf(memory?.baseline);
      const { maxBytes } = config.quality;
      return { ...about, learnt, ...(await profileTenant(objects, tenant, { memory, maxBytes })) };
    } catch (error) {
      log.warn('data could not be looked at', { tenantId, error: String(error) });
      const code = error instanceof EpsilonError ? error.code : 'CHECK_FAULT';
      return { ...about, learnt, fault: { code, message: (error as Error).message } };
    }
  }

  async function tenantsOf(shard: CheckShard): Promise<readonly Tenant[]> {
    const { only } = shard;
    const found = only
      ? await inParallel(only, atOnce, (tenantId: string) => tenants.get(tenantId))
      : (await tenants.list()).filter(({ tenantId }) => isOfShard(tenantId, shard));
    return found.filter((tenant) => tenant !== undefined).filter(({ status }) => status === 'active');
  }

  return async (shard: CheckShard) => {
    const until = clock.now() + longest;
    const mine = await tenantsOf(shard);
    const entries: ProfileEntry[] = [];
    await inParallel(mine, atOnce, async (tenant) => {
      if (clock.now() < until) entries.push(await look(tenant));
    });
    entries.sort((a, b) => a.tenantId.localeCompare(b.tenantId));
    await writeShardFile(ports, shard, 'profiles', entries);
    const faults = entries.filter((entry) => 'fault' in entry).length;
    metrics.count('QualityFaults', faults);
    metrics.count('QualityTenantsLeftOver', mine.length - entries.length);
    return { tenants: mine.length, looked: entries.length, faults };
  };
}

export const handler = defineHandler({
  name: 'profileShard',
  input: shardSchema,
  aws,
  create: createProfileShard,
});
