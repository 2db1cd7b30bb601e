import { EpsilonError } from '../../errors/epsilon-error.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import type { DatasetMemory } from '../../quality/datasets/memory.ts';
import type { QualityMemory } from '../../quality/verdict.ts';
import { knownOf, relearntDocuments, rememberAll } from './learn-again.ts';
import { relearnt } from './remember-dataset.ts';

/** An operator's decision that a tenant's data is as it should be now. */
export interface LevelRequest {
  readonly tenantId: string;
  /** Why, for the audit log. */
  readonly reason: string;
  /** Since when, ISO 8601; from the next check on where it is absent. */
  readonly from?: string | undefined;
}

/** From when on what is usual is learnt again. */
export interface AcceptedLevel {
  readonly tenantId: string;
  readonly acceptedAt: string;
  readonly from: string;
}

/** No data has this digest, so that the next check looks at whatever is there. */
const noDigest = '0'.repeat(64);

/** Before every judgement. */
const ever = new Date(0).toISOString();

function fromOf({ from }: LevelRequest, now: string): string {
  const at = from === undefined ? Date.parse(now) : Date.parse(from);
  if (Number.isNaN(at) || at > Date.parse(now))
    throw new EpsilonError(
      'INPUT_INVALID',
      `A level is accepted from a time that is over, as 2026-11-24T02:00:00Z, not from "${from}".`,
    );
  return new Date(at).toISOString();
}

/** Partitions keep what breaks the contract; that they are unusual is what was accepted. */
function withoutAnomalies({ partitions }: DatasetMemory): DatasetMemory['partitions'] {
  return Object.fromEntries(
    Object.entries(partitions).map(([name, known]) => [
      name,
      { ...known, findings: known.findings.filter(({ check }) => check !== 'anomalies') },
    ]),
  );
}

/**
 * Forgets what was usual of a tenant's data, documents and dataset alike, before `from`: the next check looks at it again and learns from
 * there. What was judged stays in the history. A check that began before learns nothing any more. `TENANT_NOT_FOUND`,
 * `QUALITY_NOT_LEARNT`, `INPUT_INVALID` without a reason or for another time.
 */
export async function acceptLevel(
  ports: Pick<Ports, 'tenants' | 'verdicts' | 'clock'>,
  request: LevelRequest,
): Promise<AcceptedLevel> {
  const { tenantId, reason } = request;
  const now = isoNow(ports.clock);
  const from = fromOf(request, now);
  if (reason.trim() === '')
    throw new EpsilonError('INPUT_INVALID', 'A new level is accepted for a reason; none was given.');
  const { memory, dataset } = await knownOf(ports, tenantId);
  const excluded = [...(memory?.excluded ?? dataset?.excluded ?? []), { from: ever, to: from }].slice(-100);
  const look = (known: QualityMemory): QualityMemory => ({
    ...known,
    excluded,
    profile: { ...known.profile, digest: noDigest },
  });
  await rememberAll(ports, {
    memory: memory && (await relearntDocuments(ports, look(memory))),
    dataset:
      dataset && (await relearnt(ports, { ...dataset, excluded, partitions: withoutAnomalies(dataset) })),
  });
  return { tenantId, acceptedAt: now, from };
}
