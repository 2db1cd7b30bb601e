/** Why conditions may be taken out without anybody noticing. */
export interface Excuse {
  /** Of which kind of stores. */
  readonly kind: string;
  /** Names of the conditions. */
  readonly of: RegExp;
  /** Another condition of the same write implies them: they never refuse a write alone, which is checked as well. */
  readonly implied?: true;
  readonly why: string;
}

/**
 * Conditions whose removal changes nothing that anybody could see, with the reason. One that is found all the same, or that no
 * write has any more, fails the run: then it has to be taken off this list.
 */
export const excuses: readonly Excuse[] = [
  {
    kind: 'memory',
    of: / release: held$/,
    why: 'a lease that is given back twice is given back',
  },
  {
    kind: 'memory',
    of: /^switchTo promote: fence of the live model$/,
    implied: true,
    why: "the lease's fence is never behind that of a promotion, which was the lease's once",
  },
  {
    kind: 'memory',
    of: /^makeAttempt createAttempt: the one before is over$/,
    why: 'the entry has read that the one before is over, and a final state stays',
  },
];
