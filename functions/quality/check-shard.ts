import { z } from 'zod';
import { awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { type FoundByJobs, readProfiled } from '../../lib/operations/quality/read-profiled.ts';
import {
  checkFault,
  type FindingsEntry,
  type LookedEntry,
  type ProfileEntry,
  readShardFile,
  writeShardFile,
} from '../../lib/operations/quality/shard-files.ts';
import type { QualityVerdicts } from '../../lib/ports/quality-verdicts.ts';
import { checkAnomalies } from '../../lib/quality/anomalies.ts';
import { followProfile, isExcluded } from '../../lib/quality/baseline.ts';
import { shardSchema } from '../../lib/quality/check-input.ts';
import { checkCompleteness } from '../../lib/quality/completeness.ts';
import type { ProfiledDataset } from '../../lib/quality/datasets/jobs.ts';
import {
  type DatasetState,
  isUnlooked,
  judgeAnomalies,
  judgeCompleteness,
  judgeFreshness,
} from '../../lib/quality/datasets/judge.ts';
import { type CheckName, checkNames, type Finding } from '../../lib/quality/finding.ts';
import { expectedOf } from '../../lib/quality/follow.ts';
import { checkFreshness } from '../../lib/quality/freshness.ts';
import type { Profile } from '../../lib/quality/profile.ts';
import type { QualityMemory } from '../../lib/quality/verdict.ts';

const input = z.object({
  shard: shardSchema,
  check: z.enum(checkNames),
  /** Where jobs that looked at datasets left what they found. */
  profiled: z.array(z.string().min(1)).default([]),
});

const aws = [awsStores, awsObjects] as const;

type Fault = Extract<ProfileEntry, { readonly fault: unknown }>;

function faultOf({ fault }: Fault): Finding[] {
  if (fault.code === checkFault) return [];
  return [
    {
      check: 'completeness',
      code: fault.code,
      severity: 'critical',
      sentence: fault.message.replace(/\.$/, ''),
    },
  ];
}

/** Faults of a place of documents, which a job finds as well as the function does; all others are the check's own. */
const ofPlace = /^DOCUMENTS_/;

/** The entry with what a job found of the documents, where they were left to one: undefined when it found nothing. */
function withJob(entry: ProfileEntry, found: FoundByJobs['documents']): LookedEntry | Fault | undefined {
  if (!('listing' in entry)) return entry;
  const { listing, ...about } = entry;
  const { profile, fault } = found.get(entry.tenantId) ?? {};
  if (profile?.digest === listing.digest) return { ...about, profile, changed: true };
  if (fault && ofPlace.test(fault.code)) return { ...about, fault };
  return undefined;
}

const ofDataset: Readonly<Record<CheckName, (state: DatasetState) => Omit<FindingsEntry, 'tenantId'>>> = {
  completeness: (state) => ({
    findings: judgeCompleteness(state),
    ...(isUnlooked(state) ? { unlooked: true } : {}),
  }),
  freshness: (state) => ({ findings: judgeFreshness(state) }),
  anomalies: (state) => {
    const { findings, ...dataset } = judgeAnomalies(state);
    return { findings, dataset };
  },
};

/** The state of a tenant's dataset; undefined where it has no contract. */
async function stateOf(
  verdicts: Pick<QualityVerdicts, 'dataset'>,
  { tenantId, checkedAt, dataset: look }: Exclude<ProfileEntry, Fault>,
  profiled: ReadonlyMap<string, ProfiledDataset>,
): Promise<DatasetState | undefined> {
  if (!look) return undefined;
  const known = await verdicts.dataset(tenantId);
  const memory = known?.location === look.contract.location ? known : undefined;
  return { tenantId, checkedAt, look, memory, found: profiled.get(tenantId) };
}

/** Judges a profile against what is known of the ones before, and learns from it. */
function judgeProfile(
  memory: QualityMemory | undefined,
  profile: Profile,
  at: number,
): Omit<FindingsEntry, 'tenantId'> {
  const { baseline: before, excluded } = memory ?? {};
  const { judged, mix, baseline } = followProfile(before, profile, at);
  const about = { expected: expectedOf(judged), ...(excluded ? { excluded } : {}) };
  // Hours that an operator excluded are unusual, which is known, and teach nothing.
  if (before && isExcluded(at, excluded ?? [])) return { ...about, findings: [], baseline: before };
  return { ...about, findings: checkAnomalies(before, { judged, mix, at }), baseline };
}

/** Makes one of the checks over a shard's profiles and writes what it found. */
export function createCheckShard(ports: Wired<typeof aws>) {
  const { verdicts } = ports;

  /** Data that has not changed was judged when it was new, and a place that could not be read has only its fault. */
  async function anomaliesOf(entry: LookedEntry): Promise<FindingsEntry> {
    const { tenantId, profile, changed, checkedAt } = entry;
    if (!changed) {
      const { verdict } = await verdicts.standing(tenantId);
      const before = verdict?.findings.filter(
        ({ check, about }) => check === 'anomalies' && about === undefined,
      );
      return { tenantId, findings: before ?? [] };
    }
    const at = Date.parse(checkedAt);
    const memory = await verdicts.memory(tenantId);
    return { tenantId, ...judgeProfile(memory, profile, at) };
  }

  const ofDocuments: Readonly<
    Record<CheckName, (entry: LookedEntry) => Promise<FindingsEntry> | FindingsEntry>
  > = {
    completeness: ({ tenantId, profile, rules }) => ({
      tenantId,
      findings: profile.files === 0 ? [] : checkCompleteness(profile, rules),
    }),
    freshness: ({ tenantId, profile, rules, checkedAt }) => ({
      tenantId,
      findings: checkFreshness(profile, rules, Date.parse(checkedAt)),
    }),
    anomalies: anomaliesOf,
  };

  /** What the check says of the documents; nothing where a job should have read them and did not. */
  async function ofDocumentsOf(
    entry: ProfileEntry,
    check: CheckName,
    { documents }: FoundByJobs,
  ): Promise<FindingsEntry> {
    const { tenantId } = entry;
    const looked = withJob(entry, documents);
    if (!looked) return { tenantId, findings: [], unlooked: true };
    if ('fault' in looked) return { tenantId, findings: check === 'completeness' ? faultOf(looked) : [] };
    const own = await ofDocuments[check](looked);
    return 'listing' in entry ? { ...own, profile: looked.profile } : own;
  }

  async function checked(entry: ProfileEntry, check: CheckName, found: FoundByJobs): Promise<FindingsEntry> {
    const own = await ofDocumentsOf(entry, check, found);
    const state = 'fault' in entry ? undefined : await stateOf(verdicts, entry, found.datasets);
    if (!state) return own;
    const { findings, ...more } = ofDataset[check](state);
    const about = findings.map((finding): Finding => ({ ...finding, about: 'dataset' }));
    return { ...own, ...more, findings: [...own.findings, ...about] };
  }

  return async ({ shard, check, profiled: outputs }: z.output<typeof input>) => {
    const byJobs = await readProfiled(ports, outputs);
    const found: FindingsEntry[] = [];
    for (const entry of await readShardFile(ports, shard, 'profiles'))
      found.push(await checked(entry, check, byJobs));
    await writeShardFile(ports, shard, check, found);
    const findings = found.flatMap((each) => each.findings);
    const critical = findings.filter(({ severity, holds }) => severity === 'critical' && !holds).length;
    return { check, tenants: found.length, critical, warnings: findings.length - critical };
  };
}

export const handler = defineHandler({
  name: 'checkShard',
  input,
  aws,
  create: createCheckShard,
});
