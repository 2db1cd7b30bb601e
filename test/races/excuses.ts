/** Why conditions may be taken out without anybody noticing. */
export interface Excuse {
  /** Names of the conditions, by kind of stores; a kind that is absent has none. */
  readonly of: Readonly<Partial<Record<'memory' | 'dynamodb', RegExp>>>;
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
    of: { memory: / release: held$/, dynamodb: / release: Update LEASE held$/ },
    why: 'a lease that is given back twice is given back',
  },
  {
    of: {
      memory: /^switchTo promote: fence of the live model$/,
      dynamodb: /^switchTo promote: Put LIVE fence$/,
    },
    implied: true,
    why: "the lease's fence is never behind that of a promotion, which was the lease's once",
  },
  {
    of: {
      memory: /^makeAttempt createAttempt: the one before is over$/,
      dynamodb: /^makeAttempt createAttempt: ConditionCheck ATTEMPT status$/,
    },
    why: 'the entry has read that the one before is over, and a final state stays',
  },
  {
    of: { dynamodb: /^switchTo promote: Put LIVE (pk|modelVersion)$/ },
    why: 'whoever has the newest fence writes, and under one fence only the same model: what is written twice is the same',
  },
  {
    of: { dynamodb: / Update (ATTEMPT|RUN) pk$/ },
    implied: true,
    why: 'nobody removes a run or an attempt; the condition keeps a change of one that never was from making a part of it',
  },
];
