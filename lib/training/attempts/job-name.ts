import { createHash } from 'node:crypto';
import type { Backend } from '../../tenants/tenant.ts';
import type { Attempt } from '../run.ts';
import type { JobStage } from '../stages.ts';

/** Longest name Kubernetes accepts for a Job whose name becomes a label. */
const longest = 63;

/** Kubernetes cuts a Job's name to this before it appends "-" and five characters, which makes the name of its pod. */
const longestWhole = 57;

/** Hex digits of a digest in the place of a whole name: with the longest tenant id (39) and what is around it, 63 characters. */
const digestLength = 20;

/** First part of what follows the tenant in a name that attests the tenant alone; no run has this name there. */
const tenantOnly = 'x';

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** Which attempt is named. */
export interface NamedAttempt {
  readonly tenantId: string;
  readonly runId: string;
  readonly stage: JobStage;
  readonly attempt: number;
}

/**
 * Name of an attempt's job where no name proves anything: at most 63 of a-z, 0-9 and "-", which Batch, Kubernetes and file
 * systems accept. A run id that does not fit is cut and closed with 10 hex digits of its SHA-256, so two runs never share a name.
 */
function plainName({ runId, stage, attempt }: NamedAttempt): string {
  const suffix = `-${stage}-${attempt}`;
  const plain = runId.toLowerCase().replace(/[^a-z0-9-]/g, '-');
  if (plain === runId && plain.length + suffix.length <= longest) return plain + suffix;
  const digest = digestOf(runId).slice(0, 10);
  const room = longest - suffix.length - digest.length - 1;
  return `${plain.slice(0, room).replace(/-+$/, '')}-${digest}${suffix}`;
}

/** What follows `<tenant>-` in a run's id, when it can be a part of a name as it is. */
function runPartOf({ tenantId, runId }: NamedAttempt): string | undefined {
  if (!runId.startsWith(`${tenantId}-`)) return undefined;
  const rest = runId.slice(tenantId.length + 1);
  return /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(rest) && rest !== tenantOnly ? rest : undefined;
}

/**
 * Name of an attempt's Job in Kubernetes. The pod's name begins with it, EKS attests the pod's name to IAM, and the tenant role compares
 * (infra/pulumi/job-roles.ts): `<tenant>.<run>.<stage>.<attempt>`, where `<run>` is the run's id without `<tenant>-`. A dot ends the
 * tenant, because no tenant id has one. Where that does not fit, `<tenant>.x.<digest>`, and `x.<tenant>x.<digest>` for a tenant id
 * that ends in "-", which may not be before a dot; tenant ids have two characters or more, so no tenant is called x.
 */
function attestedName(of: NamedAttempt): string {
  const { tenantId, runId, stage, attempt } = of;
  const run = runPartOf(of);
  const ends = tenantId.endsWith('-');
  const whole = `${tenantId}.${run}.${stage}.${attempt}`;
  if (run !== undefined && !ends && whole.length <= longestWhole) return whole;
  const digest = digestOf(`${runId}/${stage}/${attempt}`).slice(0, digestLength);
  return ends ? `${tenantOnly}.${tenantId}x.${digest}` : `${tenantId}.${tenantOnly}.${digest}`;
}

/** Deterministic name of one attempt's job on a backend, at most 63 of a-z, 0-9, "-" and, in Kubernetes alone, ".". */
export function jobNameOf(of: NamedAttempt, backend: Backend): string {
  return backend === 'eks' ? attestedName(of) : plainName(of);
}

/** Whether a job has a name of this attempt: the one it is given now, or the one that attempts in Kubernetes had before. */
export function isNameOf(jobName: string, of: NamedAttempt, backends: readonly Backend[]): boolean {
  return jobName === plainName(of) || (backends.includes('eks') && jobName === attestedName(of));
}

/** Session tags that a pod asks the tenant role for; each is compared with the pod's name. */
export function sessionTagsOf(of: NamedAttempt & Pick<Attempt, 'jobName'>): Readonly<Record<string, string>> {
  const { tenantId, stage, attempt, jobName } = of;
  const run = runPartOf(of);
  const isWhole = run !== undefined && jobName === `${tenantId}.${run}.${stage}.${attempt}`;
  return { TenantId: tenantId, ...(isWhole ? { Run: run, Stage: stage, Attempt: String(attempt) } : {}) };
}
