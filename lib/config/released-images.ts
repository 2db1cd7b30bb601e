import { z } from 'zod';
import { checkSchema } from '../errors/check-schema.ts';
import { EpsilonError } from '../errors/epsilon-error.ts';
import { type ImageName, imageNames } from '../training/stages.ts';

/** Environments that releases go to. */
export type ReleasedTo = 'staging' | 'production';

/** The one file of an environment that names digests, below the project; a release writes it whole (infra/release/write-images.sh). */
export const imagesFileOf = (environment: ReleasedTo) =>
  `infra/k8s/serving/${environment}/images/kustomization.yaml`;

const schema = z.object({
  images: z
    .array(
      z.object({
        name: z.string().min(1),
        newName: z.string().min(1),
        digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      }),
    )
    .default([]),
});

/** An image that a release has named. */
export interface ReleasedImage {
  readonly repository: string;
  readonly digest: string;
}

/** Images of training stages by what the file of an environment holds; those that no release has named are left out. Error: `IMAGES_INVALID`. */
export function releasedStageImages(
  environment: ReleasedTo,
  content: unknown,
): Partial<Record<ImageName, ReleasedImage>> {
  const read = checkSchema(schema, content);
  if (!read.success) {
    const { path, sentence } = read.fault;
    const place = path.length === 0 ? 'the file' : path.join('.');
    throw new EpsilonError('IMAGES_INVALID', `${imagesFileOf(environment)}: ${place} ${sentence}.`);
  }
  return Object.fromEntries(
    imageNames.flatMap((image) => {
      const found = read.data.images.find(({ name }) => name === `stage-${image}`);
      return found ? [[image, { repository: found.newName, digest: found.digest }]] : [];
    }),
  );
}
