import { z } from 'zod';
import { awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { readProfiled } from '../../lib/operations/quality/read-profiled.ts';
import {
  type FindingsEntry,
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

type Looked = Extract<ProfileEntry, { readonly profile: unknown }>;

const aws = [awsStores, awsObjects] as const;

function faultOf({ fault }: Extract<ProfileEntry, { readonly fault: unknown }>): Finding[] {
  if (fault.code === 'CHECK_FAULT') return [];
  return [
    {
      check: 'completeness',
      code: fault.code,
      severity: 'critical',
      sentence: fault.message.replace(/\.$/, ''),
    },
  ];
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
  { tenantId, checkedAt, dataset: look }: Looked,
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
  async function anomaliesOf(entry: Looked): Promise<FindingsEntry> {
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

  const ofDocuments: Readonly<Record<CheckName, (entry: Looked) => Promise<FindingsEntry> | FindingsEntry>> =
    {
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

  async function checked(
    entry: Looked,
    check: CheckName,
    profiled: ReadonlyMap<string, ProfiledDataset>,
  ): Promise<FindingsEntry> {
    const own = await ofDocuments[check](entry);
    const state = await stateOf(verdicts, entry, profiled);
    if (!state) return own;
    const { findings, ...more } = ofDataset[check](state);
    const about = findings.map((finding): Finding => ({ ...finding, about: 'dataset' }));
    return { ...own, ...more, findings: [...own.findings, ...about] };
  }

  return async ({ shard, check, profiled: outputs }: z.output<typeof input>) => {
    const found: FindingsEntry[] = [];
    const profiled = await readProfiled(ports, outputs);
    for (const entry of await readShardFile(ports, shard, 'profiles')) {
      if ('profile' in entry) found.push(await checked(entry, check, profiled));
      else if (check === 'completeness') found.push({ tenantId: entry.tenantId, findings: faultOf(entry) });
    }
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
