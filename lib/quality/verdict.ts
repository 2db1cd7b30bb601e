import type { Baseline, Expected } from './baseline.ts';
import type { Window } from './datasets/memory.ts';
import type { Finding } from './finding.ts';
import type { Profile } from './profile.ts';

/**
 * What a judgement says. `learning`: the rules hold, and too little is known of the past to judge more. `no-data`: there is nothing
 * to judge.
 */
export const verdictNames = ['passed', 'warning', 'critical', 'no-data', 'learning'] as const;

/** One of them. */
export type VerdictName = (typeof verdictNames)[number];

/** The newest answer to "may this tenant's data be trained on?". */
export interface QualityVerdict {
  readonly tenantId: string;
  readonly verdict: VerdictName;
  readonly findings: readonly Finding[];
  /** When the data was looked at, ISO 8601. */
  readonly checkedAt: string;
  /** Since when the gate has been as open or closed as this verdict makes it. */
  readonly since: string;
  /** Digest of the objects that were judged; absent when there were none. */
  readonly digest?: string;
}

/** What the last profile of a tenant was and what it taught: the state from which the next check goes on. */
export interface QualityMemory {
  readonly tenantId: string;
  /** When the profile was made, ISO 8601. */
  readonly checkedAt: string;
  readonly profile: Profile;
  readonly baseline: Baseline;
  /** Windows whose looks teach nothing. */
  readonly excluded?: readonly Window[];
}

/** How long a judgement stays in the history. */
export const historyDays = 90;

/** One judgement of data that was new, kept for people. */
export interface QualityHistoryEntry {
  readonly tenantId: string;
  readonly checkedAt: string;
  readonly verdict: VerdictName;
  readonly findings: readonly Finding[];
  readonly profile: Profile;
  /** What the numbers of the profile were expected to be; absent in entries of a time when this was not kept. */
  readonly expected?: Expected;
}

/** An operator's decision that holds instead of the verdict until it expires. */
export interface GateOverride {
  readonly tenantId: string;
  readonly reason: string;
  readonly decidedAt: string;
  readonly expiresAt: string;
}

/** What decides about a tenant's gate. */
export interface GateStanding {
  readonly verdict: QualityVerdict | undefined;
  readonly override: GateOverride | undefined;
}

/** Whether a verdict by itself stops training. */
export function closes(verdict: VerdictName): boolean {
  return verdict === 'critical';
}
