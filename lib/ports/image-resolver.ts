import type { ImageName } from '../training/stages.ts';

/** Resolves each image to a reference by digest (`name@sha256:...`). */
export interface ImageResolver {
  resolve(names: readonly ImageName[]): Promise<Readonly<Record<ImageName, string>>>;
}
