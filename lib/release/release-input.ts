import { z } from 'zod';

/** Images that a release cannot be without: the two serving applications and the Job that tests them. */
const neededImages = ['backend-api', 'ml-engine', 'smoke'] as const;

const byDigest = /^[a-z0-9][a-z0-9./:_-]*@sha256:[0-9a-f]{64}$/;

/** Most images of one release. */
const mostImages = 20;

const images = z
  .record(
    z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'must be the name of an image'),
    z.string().max(512).regex(byDigest, 'must name an image by digest: <repository>@sha256:<64 digits>'),
  )
  .refine((given) => Object.keys(given).length <= mostImages, `must be at most ${mostImages} images`)
  .refine(
    (given) => neededImages.every((name) => Object.hasOwn(given, name)),
    `must have ${neededImages.join(', ')}`,
  );

/** Input of the machine `release`. */
export const releaseInputSchema = z.object({
  /** What is released: 40 hexadecimal digits. */
  commit: z.string().regex(/^[0-9a-f]{40}$/, 'must be a commit, 40 hexadecimal digits'),
  images,
  /** The tenant that is trained on the new version while few others are. */
  canaryTenant: z.string().min(1).max(64),
  /** Set where this takes a release back that was kept: its id. */
  takesBack: z.string().min(1).max(80).optional(),
});
