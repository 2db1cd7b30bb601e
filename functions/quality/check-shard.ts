import { z } from 'zod';
import { awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import {
  type FindingsEntry,
  type ProfileEntry,
  readShardFile,
  writeShardFile,
} from '../../lib/operations/quality/shard-files.ts';
import { checkAnomalies } from '../../lib/quality/anomalies.ts';
import { expectedOf, followProfile } from '../../lib/quality/baseline.ts';
import { shardSchema } from '../../lib/quality/check-input.ts';
import { checkCompleteness } from '../../lib/quality/completeness.ts';
import { type CheckName, checkNames, type Finding } from '../../lib/quality/finding.ts';
import { checkFreshness } from '../../lib/quality/freshness.ts';

const input = z.object({ shard: shardSchema, check: z.enum(checkNames) });

type Looked = Extract<ProfileEntry, { readonly profile: unknown }>;

const aws = [awsStores, awsObjects] as const;

/** Makes one of the checks over a shard's profiles and writes what it found. */
export function createCheckShard(ports: Wired<typeof aws>) {
  const { verdicts } = ports;

  /** Data that has not changed was judged when it was new, and a place that could not be read has only its fault. */
  async function anomaliesOf(entry: Looked): Promise<FindingsEntry> {
    const { tenantId, profile, changed, checkedAt } = entry;
    if (!changed) {
      const { verdict } = await verdicts.standing(tenantId);
      const before = verdict?.findings.filter(({ check }) => check === 'anomalies');
      return { tenantId, findings: before ?? [] };
    }
    const at = Date.parse(checkedAt);
    const before = (await verdicts.memory(tenantId))?.baseline;
    const { judged, baseline } = followProfile(before, profile, at);
    const findings = checkAnomalies(before, { judged, profile, at });
    return { tenantId, findings, baseline, expected: expectedOf(judged) };
  }

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

  const checks: Readonly<Record<CheckName, (entry: Looked) => Promise<FindingsEntry> | FindingsEntry>> = {
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

  return async ({ shard, check }: z.output<typeof input>) => {
    const found: FindingsEntry[] = [];
    for (const entry of await readShardFile(ports, shard, 'profiles')) {
      if ('profile' in entry) found.push(await checks[check](entry));
      else if (check === 'completeness') found.push({ tenantId: entry.tenantId, findings: faultOf(entry) });
    }
    await writeShardFile(ports, shard, check, found);
    const findings = found.flatMap((each) => each.findings);
    const critical = findings.filter(({ severity }) => severity === 'critical').length;
    return { check, tenants: found.length, critical, warnings: findings.length - critical };
  };
}

export const handler = defineHandler({
  name: 'checkShard',
  input,
  aws,
  create: createCheckShard,
});
