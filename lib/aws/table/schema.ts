/** The sparse index of what is not over: attempts that are not settled and runs that are running. Its projection is KEYS_ONLY. */
export const openWork = {
  name: 'openWork',
  partitionKey: 'openPart',
  sortKey: 'openOrder',
  projection: 'KEYS_ONLY',
} as const;

/** Encryption context of every use of the token key; key policies and roles may demand it. */
export const tokenKeyContext = { 'epsilon:purpose': 'task-token' } as const;

/** Days after which an item's `ttl` lets it go. */
export const keptDays = {
  /** As long as Step Functions keeps an execution's name: a delivery repeated within it is a duplicate. */
  claim: 90,
  /** Longer than any execution waits (3 days): afterwards the tokens sealed under that day's key are unreadable. */
  tokenKey: 7,
  /** Of an image that is not bad, after its newest start: far longer than a run keeps its digests. */
  image: 30,
  /** Of backups and restores: longer than anything can be restored to. */
  recovery: 90,
  /** Of who waits: longer than any deadline. */
  wait: 3,
  /** Of jobs that look at tenants' data, which belong to no run: as long as what they found. */
  profile: 90,
  /** Longer than anybody goes back. */
  release: 400,
} as const;
