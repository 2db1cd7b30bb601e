import type { ImageName } from '../training/stages.ts';

/** What is known of images before a job is started by them. A workload that is not named is the reference workload. */
export interface ImageResolver {
  /** Each image of a workload as a reference by digest (`name@sha256:...`). */
  resolve(names: readonly ImageName[], workload?: string): Promise<Readonly<Record<ImageName, string>>>;
  /** Versions of the job contract that jobs of an image accept, which `resolve` gave; none when what the image says of it is no list of versions. */
  contractOf(image: string, workload?: string): Promise<readonly number[]>;
}
