/** Longest Wait and longest Task, in seconds, as the service has it (docs/asl-support.md names the pages). */
export const longestSeconds = 99_999_999;

/** Longest MaxDelaySeconds of a Retry: a leap year. */
export const longestDelay = 31_622_400;

/** Largest MaxConcurrency that is taken; more than the service runs at once is no fault. */
export const widestConcurrency = Number.MAX_SAFE_INTEGER;

/** Most bytes a batch may be asked to have: what a child's input may have. */
export const largestBatch = 262_144;

/** Most items a batch may be asked to have. */
export const longestBatch = 100_000_000;
