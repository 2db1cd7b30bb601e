/** Version of the job contract (docs/job-contract.md) that the control plane speaks. */
export const contractVersion = 2;

/** Versions that a job accepts: this one, and for one release the one before, which names no version. */
export const contractVersions: readonly number[] = [1, contractVersion];

/** Label of an image, and what is written there: the versions that its jobs accept, as `1,2`. */
export const contractLabel = 'epsilon.contract';

/**
 * What jobs accept whose image or workload does not say it: versions from before anybody said it. No later one is ever added here, so
 * that a control plane of a later version begins no run with them.
 */
export const unsaidVersions: readonly number[] = [1, 2];

/** Versions that a label names; `unsaidVersions` where there is none, none where it is no list of versions. */
export function versionsOfLabel(label: string | undefined): readonly number[] {
  if (label === undefined) return unsaidVersions;
  return /^[1-9]\d{0,3}(,[1-9]\d{0,3})*$/.test(label) ? label.split(',').map(Number) : [];
}

/**
 * Largest EPSILON_INPUTS, in bytes, that goes by the environment; more goes by EPSILON_INPUTS_FILE. Linux takes 131,072 bytes
 * for one variable, and arguments and environment share what is left of the stack's limit.
 */
export const largestInlineInputs = 32_768;
