import { createHash } from 'node:crypto';
import type { StageName } from '../stages.ts';

/** Longest name Kubernetes accepts for a Job whose name becomes a label. */
const longest = 63;

/**
 * Deterministic name of one attempt's job, at most 63 of a-z, 0-9 and "-".
 * A run id that does not fit is cut and closed with 10 hex digits of its SHA-256, so two runs never share a name.
 */
export function jobNameOf(runId: string, stage: StageName, attempt: number): string {
  const suffix = `-${stage}-${attempt}`;
  const plain = runId.toLowerCase().replace(/[^a-z0-9-]/g, '-');
  if (plain === runId && plain.length + suffix.length <= longest) return plain + suffix;
  const digest = createHash('sha256').update(runId).digest('hex').slice(0, 10);
  const room = longest - suffix.length - digest.length - 1;
  return `${plain.slice(0, room).replace(/-+$/, '')}-${digest}${suffix}`;
}
