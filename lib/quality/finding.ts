/** The checks of every hour, as the specification names them: what is missing, what is stale, what is unlike before. */
export const checkNames = ['completeness', 'freshness', 'anomalies'] as const;

/** One of the checks. */
export type CheckName = (typeof checkNames)[number];

/** Something that a check found. */
export interface Finding {
  readonly check: CheckName;
  /** Stable name, such as `TOO_FEW_DOCUMENTS`. */
  readonly code: string;
  /** Critical closes the gate; a warning is told in the digest of the day. */
  readonly severity: 'warning' | 'critical';
  /** What was found, what was expected and why, in one sentence without a full stop. */
  readonly sentence: string;
  /** The number that it is about, by name: `rows`, `nulls amount`. */
  readonly metric?: string;
  /** It only keeps a gate closed that the same finding has closed: there is less of it than closes one. */
  readonly holds?: true;
  /** What it is found in; the documents where it is absent. */
  readonly about?: 'dataset';
}
