import { EpsilonError } from '../../errors/epsilon-error.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { learnAgain } from '../../quality/baseline.ts';
import type { DatasetMemory, Window } from '../../quality/datasets/memory.ts';
import type { QualityMemory } from '../../quality/verdict.ts';
import { findTenant } from '../tenants/find-tenant.ts';
import { relearnt } from './remember-dataset.ts';

type Needed = Pick<Ports, 'tenants' | 'verdicts' | 'clock'>;

/** Judgements of the history that what is usual is learnt from: every hour of 90 days. */
const mostJudgements = 2_160;

/** Windows that are kept of one tenant. */
const mostWindows = 100;

/** An operator's decision on some hours of a tenant's data. */
export interface WindowRequest {
  readonly tenantId: string;
  /** ISO 8601; the second is not a part of it any more. */
  readonly from: string;
  readonly to: string;
  /** Why, for the audit log. */
  readonly reason: string;
}

/** What was done. */
export interface WindowDone extends Window {
  readonly tenantId: string;
}

const refused = (why: string) => new EpsilonError('INPUT_INVALID', `${why}.`);

/** A window as it is kept: whole instants, in order, of at most the history's days. Throws `INPUT_INVALID`. */
function windowOf({ from, to, reason }: WindowRequest, what: string): Window {
  if (reason.trim() === '') throw refused(`Hours are ${what} for a reason; none was given`);
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  if (Number.isNaN(begin)) throw refused(`"${from}" is no time; 2026-11-24T02:00:00Z is one`);
  if (Number.isNaN(end)) throw refused(`"${to}" is no time; 2026-11-24T02:00:00Z is one`);
  if (begin >= end) throw refused(`The window ends at ${to}, which is not later than ${from}`);
  return { from: new Date(begin).toISOString(), to: new Date(end).toISOString() };
}

/** What is usual of a tenant's documents, learnt again from the history without the excluded windows. */
export async function relearntDocuments(
  { verdicts }: Pick<Ports, 'verdicts'>,
  memory: QualityMemory,
): Promise<QualityMemory> {
  const history = (await verdicts.history(memory.tenantId, mostJudgements)).toReversed();
  return { ...memory, baseline: learnAgain(history, memory.excluded ?? []) };
}

/** Puts what is known of a tenant's data on record as of now: a check that began before learns nothing any more. */
export async function rememberAll(
  { verdicts, clock }: Needed,
  { memory, dataset }: { memory: QualityMemory | undefined; dataset: DatasetMemory | undefined },
): Promise<void> {
  const checkedAt = isoNow(clock);
  if (memory) await verdicts.remember({ ...memory, checkedAt });
  if (dataset) await verdicts.rememberDataset({ ...dataset, checkedAt });
}

/** What is known of a tenant's data. `TENANT_NOT_FOUND`, `QUALITY_NOT_LEARNT` where nothing is. */
export async function knownOf(ports: Needed, tenantId: string) {
  await findTenant(ports, tenantId);
  const { verdicts } = ports;
  const [memory, dataset] = await Promise.all([verdicts.memory(tenantId), verdicts.dataset(tenantId)]);
  if (memory || dataset) return { memory, dataset };
  throw new EpsilonError('QUALITY_NOT_LEARNT', `Nothing was learnt of the data of "${tenantId}" yet.`);
}

/**
 * Leaves some hours out of what is usual of a tenant's data, documents and dataset alike: what they taught is forgotten, by learning again from
 * the history. What breaks a rule in them is found as before. `TENANT_NOT_FOUND`, `QUALITY_NOT_LEARNT`, `INPUT_INVALID`.
 */
export async function excludeHours(ports: Needed, request: WindowRequest): Promise<WindowDone> {
  const { tenantId } = request;
  const window = windowOf(request, 'excluded');
  const { memory, dataset } = await knownOf(ports, tenantId);
  const excluded = [...(memory?.excluded ?? dataset?.excluded ?? []), window];
  if (excluded.length > mostWindows)
    throw refused(`${mostWindows} windows of "${tenantId}" are excluded already; no more are kept`);
  await rememberAll(ports, {
    memory: memory && (await relearntDocuments(ports, { ...memory, excluded })),
    dataset: dataset && (await relearnt(ports, { ...dataset, excluded })),
  });
  return { tenantId, ...window };
}

/**
 * Has some of a dataset's partitions looked at again, also such that checks do not look back to any more: by the next checks, 48 partitions
 * each. `TENANT_NOT_FOUND`, `QUALITY_NO_DATASET`, `QUALITY_NOT_LEARNT`, `INPUT_INVALID`.
 */
export async function backfillHours(ports: Needed, request: WindowRequest): Promise<WindowDone> {
  const { tenantId } = request;
  const backfill = windowOf(request, 'looked at again');
  const tenant = await findTenant(ports, tenantId);
  if (!tenant.dataset || tenant.dataset.partitioning === 'none')
    throw new EpsilonError(
      'QUALITY_NO_DATASET',
      `Tenant "${tenantId}" has no dataset with partitions; "epsilon tenants update ${tenantId} --dataset <contract>" gives it one (docs/quality.md).`,
    );
  const { dataset } = await knownOf(ports, tenantId);
  if (!dataset)
    throw new EpsilonError('QUALITY_NOT_LEARNT', `No check has looked at the dataset of "${tenantId}" yet.`);
  await rememberAll(ports, { memory: undefined, dataset: { ...dataset, backfill } });
  return { tenantId, ...backfill };
}
