import { referenceWorkload } from '../../config/workloads.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { Ports } from '../../ports/ports.ts';
import { contractLabel, contractVersion } from '../../training/attempts/job-contract.ts';
import type { Run } from '../../training/run.ts';
import { type Refusing, refuseRun } from './refuse-run.ts';

/** When jobs of an image do not accept the version of the job contract that this control plane speaks; its release comes first. */
function contractMismatch(image: string, accepted: readonly number[], workload: string): EpsilonError {
  const theirs = accepted.length === 0 ? 'no version that can be read' : `version ${accepted.join(' and ')}`;
  return new EpsilonError(
    'IMAGE_CONTRACT_MISMATCH',
    `Jobs of image ${image} accept ${theirs} of the job contract; this control plane speaks version ${contractVersion}. Release an image whose label ${contractLabel} names it; on one host, the "contract" of workload "${workload}" does.`,
    { exitCode: exitCodes.runFailed, details: { image, accepted: [...accepted], contractVersion } },
  );
}

/**
 * Ends a run that has just begun with an image whose jobs would not understand what they are given, as `refuseRun` does:
 * `IMAGE_CONTRACT_MISMATCH`, which no machine retries.
 */
export async function requireContract(ports: Refusing & Pick<Ports, 'images'>, run: Run): Promise<void> {
  const { workload = referenceWorkload } = run;
  const images = [...new Set(Object.values(run.images))];
  const accepted = await Promise.all(
    images.map(async (image) => ({ image, versions: await ports.images.contractOf(image, workload) })),
  );
  const other = accepted.find(({ versions }) => !versions.includes(contractVersion));
  if (other) await refuseRun(ports, run, contractMismatch(other.image, other.versions, workload));
}
