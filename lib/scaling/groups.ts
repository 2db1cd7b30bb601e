import type { Fleet } from './replay.ts';

/** Settings of a group whose least size is set. */
export interface GroupRule {
  /** Its least size when nobody raised it. */
  readonly least: number;
  /** Its least size in quiet hours; absent: the same. */
  readonly quiet?: number | undefined;
  /** Replicas run on it: it is raised with them. */
  readonly raised: boolean;
}

/** What was last set of a group, so that nothing that somebody else set is taken away. */
export interface GroupRecord {
  readonly group: string;
  /** Every least size between these may be one that was set. */
  readonly low: number;
  readonly high: number;
  /** ISO 8601: when it ends unless it is renewed. */
  readonly expiresAt: string;
  readonly because: string;
}

/** Whether the least size of a group is one that was set for it, and not its usual one. */
export function isOurs(min: number, least: number, record: GroupRecord | undefined): boolean {
  return record !== undefined && min !== least && min >= record.low && min <= record.high;
}

/** Nodes beyond the usual ones that a least number of replicas needs. */
export function nodesBeyond(
  minReplicas: number,
  { minReplicas: usual, podsPerNode }: Pick<Fleet, 'minReplicas' | 'podsPerNode'>,
): number {
  return Math.max(0, Math.ceil((minReplicas - usual) / podsPerNode - 1e-9));
}

/** The least size of each group: nodes beyond the usual ones are shared, the smallest group first, as far as each may grow. */
export function leastSizes(
  rules: Readonly<Record<string, GroupRule>>,
  largest: ReadonlyMap<string, number>,
  { beyond, quiet }: { readonly beyond: number; readonly quiet: boolean },
): Map<string, number> {
  const sizes = new Map(
    Object.entries(rules)
      .filter(([name]) => largest.has(name))
      .map(([name, rule]) => [name, quiet ? (rule.quiet ?? rule.least) : rule.least]),
  );
  for (let left = quiet ? 0 : beyond; left > 0; left -= 1) {
    const [smallest] = [...sizes]
      .filter(([name, size]) => rules[name]?.raised && size < (largest.get(name) ?? 0))
      .sort(([one, size], [other, than]) => size - than || one.localeCompare(other));
    if (!smallest) break;
    sizes.set(smallest[0], smallest[1] + 1);
  }
  return sizes;
}
