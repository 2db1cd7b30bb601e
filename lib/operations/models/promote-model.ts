import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { NotFound } from '../../errors/store-errors.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Promotion, TenantRef } from '../../ports/operator-api.ts';
import type { Ports } from '../../ports/ports.ts';
import { checkTenantId } from '../../tenants/tenant.ts';
import { candidateOf } from '../../training/models/candidate.ts';
import type { LiveModel, ModelVersion } from '../../training/models/model.ts';
import { compareProbes, defaultRegression, hasRegressed } from '../../training/models/regression.ts';
import type { Attempt, Run } from '../../training/run.ts';
import { findTenant } from '../tenants/find-tenant.ts';
import { announcePromotion } from './promotion-event.ts';

type Needed = Pick<Ports, 'models' | 'leases' | 'tenants' | 'events' | 'clock' | 'ids' | 'log'>;

/** Seconds an operator's promotion may hold the tenant's lease. */
const leaseSeconds = 60;

async function requireModel(ports: Needed, tenantId: string, modelVersion: string): Promise<ModelVersion> {
  const model = await ports.models.get(tenantId, modelVersion);
  if (model) return model;
  throw new NotFound('MODEL_NOT_FOUND', `Tenant "${tenantId}" has no model ${modelVersion}.`);
}

/** The live model; `TENANT_NOT_FOUND` or `MODEL_NOT_LIVE` otherwise. Models outlive their tenant's record. */
export async function requireLive(
  ports: { readonly models: Pick<Ports['models'], 'live'>; readonly tenants: Pick<Ports['tenants'], 'get'> },
  tenantId: string,
): Promise<LiveModel> {
  const live = await ports.models.live(checkTenantId(tenantId));
  if (live) return live;
  await findTenant(ports, tenantId);
  throw new EpsilonError('MODEL_NOT_LIVE', `Tenant "${tenantId}" has no promoted model yet.`, {
    details: { tenantId },
  });
}

/** Holds the tenant's lease meanwhile, so that operators and runs never switch at the same time (`TenantBusy`). */
async function underLease<T>(
  { leases, clock, ids, log }: Needed,
  tenantId: string,
  work: (fence: number) => Promise<T>,
): Promise<T> {
  const now = clock.now();
  const holder = `operator-${ids.ulid()}`;
  const { fence } = await leases.acquire({
    tenantId,
    holder,
    now: new Date(now).toISOString(),
    expiresAt: new Date(now + leaseSeconds * 1000).toISOString(),
  });
  try {
    return await work(fence);
  } finally {
    // A lease that is not released expires; what was done under it remains valid.
    await leases.release({ tenantId, holder, fence }).catch((error: unknown) => {
      log.warn('lease not given back', { tenantId, holder, error: String(error) });
    });
  }
}

/** Switches the record, which is all that counts, and announces it. */
async function switchTo(
  ports: Pick<Ports, 'models' | 'events' | 'clock' | 'log'>,
  { tenantId, modelVersion, runId, logicalDate }: ModelVersion,
  { fence, reason, traceId }: Pick<LiveModel, 'fence' | 'reason'> & { readonly traceId: string },
): Promise<Promotion> {
  const at = isoNow(ports.clock);
  const live = await ports.models.promote({ tenantId, modelVersion, fence, at, reason });
  return { live, announced: await announcePromotion(ports, live, { runId, logicalDate, traceId }) };
}

/** Throws `CANDIDATE_REGRESSED` when the candidate certainly finds less than the live model of what both know. */
async function refuseRegression(
  { models, tenants, log }: Pick<Ports, 'models' | 'tenants' | 'log'>,
  { tenantId, modelVersion, runId, probes }: ModelVersion,
): Promise<void> {
  const live = await models.live(tenantId);
  if (!live || !probes || live.modelVersion === modelVersion) return;
  const before = (await models.get(tenantId, live.modelVersion))?.probes;
  const compared = before && compareProbes(before, probes);
  if (!compared) return;
  const { promotion } = (await tenants.get(tenantId)) ?? {};
  const most = promotion?.maxRegression ?? defaultRegression;
  log.info('compared with the live model', { runId, tenantId, ...compared, most });
  if (!hasRegressed(compared, most)) return;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  throw new EpsilonError(
    'CANDIDATE_REGRESSED',
    `Of ${compared.pairs} passages that the live model ${live.modelVersion} knows too, model ${modelVersion} finds ${percent(-compared.change)} less by a part of their text (at least ${percent(-compared.atMost)}, one-sided 95 % bound; ${percent(most)} are allowed). The live model stays; "epsilon models promote ${tenantId} ${modelVersion}" takes the new one all the same.`,
    { exitCode: exitCodes.runFailed, details: { tenantId, modelVersion } },
  );
}

/**
 * Registers what a run produced and lets it answer, under the run's own fence. Safe to repeat. Errors: `STAGE_MISSING`,
 * `CANDIDATE_REFUSED`, `CANDIDATE_REGRESSED`, `STALE_FENCE`.
 */
export async function promoteCandidate(
  ports: Pick<Ports, 'models' | 'tenants' | 'events' | 'clock' | 'log'>,
  run: Run,
  attempts: readonly Attempt[],
): Promise<{ readonly live: LiveModel; readonly candidate: ModelVersion }> {
  const candidate = candidateOf(run, attempts, isoNow(ports.clock));
  await ports.models.register(candidate);
  await refuseRegression(ports, candidate);
  const { fence, traceId } = run;
  const { live } = await switchTo(ports, candidate, { fence, traceId, reason: 'run' });
  return { live, candidate };
}

/**
 * Lets a registered model answer. Promoting the one that is live changes nothing and announces it once more. Errors:
 * `TENANT_ID_INVALID`, `TENANT_NOT_FOUND`, `MODEL_NOT_FOUND`, `TENANT_BUSY`, `STALE_FENCE`.
 */
export async function promoteModel(
  ports: Needed,
  { tenantId, modelVersion }: TenantRef & { readonly modelVersion: string },
): Promise<Promotion> {
  checkTenantId(tenantId);
  const model = await requireModel(ports, tenantId, modelVersion).catch(async (error: unknown) => {
    await findTenant(ports, tenantId);
    throw error;
  });
  return underLease(ports, tenantId, (fence) =>
    switchTo(ports, model, { fence, traceId: ports.ids.traceId(), reason: 'manual' }),
  );
}

/** The version before the live one. */
function versionBefore({ tenantId, modelVersion, previousVersion, reason }: LiveModel): string {
  // A second rollback would bring back the model that the first one left.
  if (reason === 'rollback')
    throw new EpsilonError(
      'MODEL_ROLLED_BACK',
      `Tenant "${tenantId}" was rolled back already, from ${previousVersion ?? 'none'} to ${modelVersion}.`,
      { exitCode: exitCodes.conflict, details: { tenantId } },
    );
  if (previousVersion !== undefined) return previousVersion;
  throw new EpsilonError('MODEL_NO_PREVIOUS', `Tenant "${tenantId}" has no earlier model to go back to.`, {
    exitCode: exitCodes.conflict,
  });
}

/**
 * Lets the model before the live one answer again. Errors: `TENANT_ID_INVALID`, `TENANT_NOT_FOUND`, `MODEL_NOT_LIVE`,
 * `MODEL_ROLLED_BACK`, `MODEL_NO_PREVIOUS`, `TENANT_BUSY`.
 */
export async function rollBackModel(ports: Needed, { tenantId }: TenantRef): Promise<Promotion> {
  // Refused without the lease where that is sure; decided under it, because somebody may promote in between.
  versionBefore(await requireLive(ports, tenantId));
  return underLease(ports, tenantId, async (fence) => {
    const version = versionBefore(await requireLive(ports, tenantId));
    const model = await requireModel(ports, tenantId, version);
    return switchTo(ports, model, { fence, traceId: ports.ids.traceId(), reason: 'rollback' });
  });
}
