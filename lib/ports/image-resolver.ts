import type { ImageName } from '../training/stages.ts';

/** Resolves each image of a workload, the reference workload where none is named, to a reference by digest (`name@sha256:...`). */
export interface ImageResolver {
  resolve(names: readonly ImageName[], workload?: string): Promise<Readonly<Record<ImageName, string>>>;
}
