import { NotFound } from '../../errors/store-errors.ts';

/** An image in a registry. */
export interface ImageReference {
  /** With the registry's host. */
  readonly url: string;
  readonly registryId: string | undefined;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Takes a reference as `repository`, `repository:tag` or `repository@sha256:...` apart. */
export function referenceOf(given: string): ImageReference {
  const [named = '', digest] = given.split('@');
  const slash = named.indexOf('/');
  const colon = named.indexOf(':', slash);
  const url = colon < 0 ? named : named.slice(0, colon);
  return {
    url,
    registryId: /^(\d{12})\.dkr\.ecr\./.exec(url)?.[1],
    repository: url.slice(slash + 1),
    tag: colon < 0 ? undefined : named.slice(colon + 1),
    digest,
  };
}

/** `IMAGE_NOT_FOUND` with the reference. */
export function notFound({ url, tag }: ImageReference, reason: string): NotFound {
  return new NotFound('IMAGE_NOT_FOUND', `${url}${tag === undefined ? '' : `:${tag}`}: ${reason}.`);
}
