import { createHash } from 'node:crypto';
import { inParallel } from '../../lib/concurrency/in-parallel.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { lookAtDataset } from '../../lib/files/datasets/look-at-dataset.ts';
import { type LookOptions, profileTenant } from '../../lib/files/profile-tenant.ts';
import { awsImages, awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { orderProfiles } from '../../lib/operations/quality/order-profiles.ts';
import { checkFault, type ProfileEntry, writeShardFile } from '../../lib/operations/quality/shard-files.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import { learntOf } from '../../lib/quality/baseline.ts';
import { type CheckShard, shardSchema } from '../../lib/quality/check-input.ts';
import { type Due, readByFunction, type WantedDocuments } from '../../lib/quality/datasets/jobs.ts';
import type { Listing } from '../../lib/quality/profile.ts';
import { rulesOf } from '../../lib/quality/rules.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import { isOfShard } from '../../lib/training/shards.ts';

/** Tenants of a shard that are looked at side by side. */
const atOnce = 8;

/** Milliseconds after which no further tenant is begun, so that the function ends within its time; they keep their verdict. */
const longest = 12 * 60_000;

const aws = [awsStores, awsObjects, awsImages] as const;

type Needed = Pick<Wired<typeof aws>, 'verdicts' | 'objects' | 'clock' | 'config' | 'log'>;

/** Whether documents of so many bytes are left to a job. */
type ForJob = NonNullable<LookOptions['forJob']>;

/** What a look at one tenant brought: what goes into the shard's file, and what jobs have to look at. */
interface LookedAtTenant {
  readonly entry: ProfileEntry;
  readonly due: readonly Due[];
}

/** What is small is read by the function, as long as that is not too much altogether; the rest is for jobs, where there are any. */
function readingBudget({ datasets }: CheckShard): ForJob {
  let left = readByFunction.shard;
  return (bytes) => {
    if (datasets === 'known') return false;
    if (bytes >= readByFunction.tenant || bytes > left) return true;
    left -= bytes;
    return false;
  };
}

/** The listing of the tenant's dataset, where it has a contract. */
async function lookAtOwnDataset({ verdicts, objects, clock }: Needed, tenant: Tenant) {
  const { tenantId, backend, dataset: contract } = tenant;
  if (!contract) return undefined;
  const known = await verdicts.dataset(tenantId);
  // A dataset at another place is another one.
  const memory = known?.location === contract.location ? known : undefined;
  return lookAtDataset(objects, { tenantId, backend, contract }, { memory, now: clock.now() });
}

function wantedOf(
  { tenantId, documentsUri, reading }: Tenant,
  listing: Listing,
  at: string,
): WantedDocuments {
  const { textColumn, idColumn } = reading ?? {};
  const columns = {
    ...(textColumn === undefined ? {} : { textColumn }),
    ...(idColumn === undefined ? {} : { idColumn }),
  };
  return { tenantId, documentsUri, reading: columns, listing, at };
}

/** Looks at the data of one tenant. No errors: what cannot be looked at is an entry that says why. */
async function lookAtTenant(ports: Needed, tenant: Tenant, forJob: ForJob): Promise<LookedAtTenant> {
  const { verdicts, objects, clock, config, log } = ports;
  const { tenantId, backend } = tenant;
  const about = { tenantId, checkedAt: isoNow(clock), rules: rulesOf(tenant.quality) };
  let learnt = 0;
  try {
    const memory = await verdicts.memory(tenantId);
    learnt = learntOf(memory?.baseline);
    const { maxBytes } = config.quality;
    const profiled = await profileTenant(objects, tenant, { memory, maxBytes, forJob });
    const dataset = await lookAtOwnDataset(ports, tenant);
    return {
      entry: { ...about, learnt, ...profiled, ...(dataset ? { dataset: dataset.look } : {}) },
      due: [
        ...(dataset?.due ? [dataset.due] : []),
        ...('listing' in profiled
          ? [{ backend, documents: wantedOf(tenant, profiled.listing, about.checkedAt) }]
          : []),
      ],
    };
  } catch (error) {
    log.warn('data could not be looked at', { tenantId, error: String(error) });
    // What passes by itself, such as throttling, says nothing about the data.
    const code = error instanceof EpsilonError && !error.retryable ? error.code : checkFault;
    return { entry: { ...about, learnt, fault: { code, message: (error as Error).message } }, due: [] };
  }
}

const turnOf = (prefix: string, tenantId: string) =>
  createHash('sha256').update(`${prefix}${tenantId}`).digest('hex');

/** What no job looks at now is looked at by a later check, and is judged by what is known. */
function withoutJob(entry: ProfileEntry, ordered: ReadonlySet<string>): ProfileEntry {
  if ('fault' in entry || !entry.dataset || ordered.has(entry.tenantId)) return entry;
  return { ...entry, dataset: { ...entry.dataset, asked: [] } };
}

/** Looks at the data of a shard's tenants, writes what it found, and says which jobs have to look at datasets and large documents. */
export function createProfileShard(ports: Wired<typeof aws>) {
  const { tenants, clock, metrics } = ports;

  /** In another order in each check, so that nobody is always the one for whom no time is left. */
  async function tenantsOf(shard: CheckShard): Promise<readonly Tenant[]> {
    const { only } = shard;
    const found = only
      ? await inParallel(only, atOnce, (tenantId: string) => tenants.get(tenantId))
      : (await tenants.list()).filter(({ tenantId }) => isOfShard(tenantId, shard));
    return found
      .filter((tenant) => tenant !== undefined)
      .filter(({ status }) => status === 'active')
      .map((tenant) => ({ tenant, turn: turnOf(shard.prefix, tenant.tenantId) }))
      .sort((a, b) => (a.turn < b.turn ? -1 : 1))
      .map(({ tenant }) => tenant);
  }

  return async (shard: CheckShard) => {
    const until = clock.now() + longest;
    const mine = await tenantsOf(shard);
    const looked: LookedAtTenant[] = [];
    const forJob = readingBudget(shard);
    await inParallel(mine, atOnce, async (tenant) => {
      if (clock.now() < until) looked.push(await lookAtTenant(ports, tenant, forJob));
    });
    looked.sort((a, b) => a.entry.tenantId.localeCompare(b.entry.tenantId));
    const due = shard.datasets === 'known' ? [] : looked.flatMap((each) => each.due);
    const { jobs, datasetsOf } = await orderProfiles(ports, shard, due);
    const entries = looked.map(({ entry }) => withoutJob(entry, datasetsOf));
    await writeShardFile(ports, shard, 'profiles', entries);
    const faults = entries.filter((entry) => 'fault' in entry).length;
    metrics.count('QualityFaults', faults);
    metrics.count('QualityTenantsLeftOver', mine.length - entries.length);
    return { tenants: mine.length, looked: entries.length, faults, jobs };
  };
}

export const handler = defineHandler({
  name: 'profileShard',
  input: shardSchema,
  aws,
  create: createProfileShard,
});
