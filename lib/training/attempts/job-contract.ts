/** Version of the job contract (docs/job-contract.md) that the control plane speaks. */
export const contractVersion = 2;

/** Versions that a job accepts: this one, and for one release the one before, which names no version. */
export const contractVersions: readonly number[] = [1, contractVersion];

/**
 * Largest EPSILON_INPUTS, in bytes, that goes by the environment; more goes by EPSILON_INPUTS_FILE. Linux takes 131,072 bytes
 * for one variable, and arguments and environment share what is left of the stack's limit.
 */
export const largestInlineInputs = 32_768;
