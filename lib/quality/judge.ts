import { learningCount } from './detector.ts';
import type { Finding } from './finding.ts';
import { closes, type QualityVerdict, type VerdictName } from './verdict.ts';

/** What a judgement is made of. */
export interface Evidence {
  readonly tenantId: string;
  readonly checkedAt: string;
  /** Objects found. */
  readonly files: number;
  readonly digest: string;
  readonly findings: readonly Finding[];
  /** Profiles that the tenant's baseline has learnt from. */
  readonly learnt: number;
}

function nameOf({ files, findings, learnt }: Evidence): VerdictName {
  if (files === 0) return 'no-data';
  if (findings.some(({ severity }) => severity === 'critical')) return 'critical';
  if (findings.length > 0) return 'warning';
  return learnt < learningCount ? 'learning' : 'passed';
}

/** The finding of a place without objects. */
export const nothingThere: Finding = {
  check: 'completeness',
  code: 'NO_DATA',
  severity: 'warning',
  sentence: 'there are no objects where its documents should be',
};

/** Without what only keeps a gate closed, unless the verdict before was closed by the same. */
function standingOf(findings: readonly Finding[], before: QualityVerdict | undefined): Finding[] {
  const closed = new Set(
    before?.findings.filter(({ severity }) => severity === 'critical').map(({ code }) => code),
  );
  return findings.flatMap(({ holds, ...finding }) => (holds && !closed.has(finding.code) ? [] : [finding]));
}

/** The verdict of one look, and since when the gate has been as it makes it. */
export function judge(looked: Evidence, before: QualityVerdict | undefined): QualityVerdict {
  const evidence = { ...looked, findings: standingOf(looked.findings, before) };
  const verdict = nameOf(evidence);
  const same = before !== undefined && closes(before.verdict) === closes(verdict);
  return {
    tenantId: evidence.tenantId,
    verdict,
    findings: verdict === 'no-data' ? [nothingThere] : evidence.findings,
    checkedAt: evidence.checkedAt,
    since: same ? before.since : evidence.checkedAt,
    ...(verdict === 'no-data' ? {} : { digest: evidence.digest }),
  };
}

/** Gates closing in one hour that are one incident of the platform and not of the tenants: more than 5 %, and more than 10. */
export function isSystemic({ judged, closing }: { judged: number; closing: number }): boolean {
  return closing > 10 && closing > 0.05 * judged;
}
