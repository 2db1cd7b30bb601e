import { awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import {
  type FindingsEntry,
  type ProfileEntry,
  readShardFile,
  type VerdictEntry,
  writeShardFile,
} from '../../lib/operations/quality/shard-files.ts';
import { warningsOfDay } from '../../lib/operations/quality/warnings-of-day.ts';
import { learntOf } from '../../lib/quality/baseline.ts';
import { type CheckShard, shardSchema } from '../../lib/quality/check-input.ts';
import { checkNames } from '../../lib/quality/finding.ts';
import { judge } from '../../lib/quality/judge.ts';
import { closes } from '../../lib/quality/verdict.ts';

const aws = [awsStores, awsObjects] as const;

/** Makes a verdict of each tenant's findings; nothing is on record yet, because an incident of the platform keeps gates as they are. */
export function createJudgeShard(ports: Wired<typeof aws>) {
  const { verdicts } = ports;

  async function verdictOf(
    entry: ProfileEntry,
    found: readonly (FindingsEntry | undefined)[],
  ): Promise<VerdictEntry | undefined> {
    const { tenantId, checkedAt } = entry;
    const findings = found.flatMap((each) => each?.findings ?? []);
    // Of documents that a job read the profile is beside the findings, and new.
    const byJob = found.find((each) => each?.profile)?.profile;
    const looked =
      'profile' in entry ? entry : byJob === undefined ? undefined : { profile: byJob, changed: true };
    // The check itself failed, which says nothing about the data: the verdict before stays, and its age closes a required gate.
    if (!looked && findings.length === 0) return undefined;
    const unlooked = found.some((each) => each?.unlooked);
    if (unlooked && findings.every(({ severity, holds }) => severity !== 'critical' || holds))
      return undefined;
    const { baseline, expected = {}, excluded } = found.find((each) => each?.baseline) ?? {};
    const { dataset } = found.find((each) => each?.dataset) ?? {};
    const { verdict: before } = await verdicts.standing(tenantId);
    const verdict = judge(
      {
        tenantId,
        checkedAt,
        findings,
        learnt: Math.min(
          baseline ? learntOf(baseline) : entry.learnt,
          dataset ? (dataset.memory.baseline?.count ?? 0) : Number.POSITIVE_INFINITY,
        ),
        ...(looked
          ? { files: looked.profile.files, digest: looked.profile.digest }
          : { files: 1, digest: '' }),
      },
      before,
    );
    const [was, is] = [before !== undefined && closes(before.verdict), closes(verdict.verdict)];
    return {
      verdict,
      turns: was === is ? 'neither' : is ? 'closed' : 'open',
      ...(looked?.changed && baseline
        ? { learnt: { profile: looked.profile, baseline, expected, ...(excluded ? { excluded } : {}) } }
        : {}),
      ...(dataset ? { dataset } : {}),
    };
  }

  return async (shard: CheckShard) => {
    const profiles = await readShardFile(ports, shard, 'profiles');
    const found = await Promise.all(checkNames.map((check) => readShardFile(ports, shard, check)));
    const byTenant = found.map((entries) => new Map(entries.map((entry) => [entry.tenantId, entry])));
    const entries: VerdictEntry[] = [];
    for (const profile of profiles) {
      const entry = await verdictOf(
        profile,
        byTenant.map((each) => each.get(profile.tenantId)),
      );
      if (entry) entries.push(entry);
    }
    await writeShardFile(ports, shard, 'verdicts', entries);
    const tenants = profiles.map(({ tenantId }) => tenantId);
    const warned = await warningsOfDay(ports, shard, tenants);
    return {
      judged: entries.length,
      closing: entries.filter(({ turns }) => turns === 'closed').length,
      ...(warned ? { warned } : {}),
    };
  };
}

export const handler = defineHandler({
  name: 'judgeShard',
  input: shardSchema,
  aws,
  create: createJudgeShard,
});
