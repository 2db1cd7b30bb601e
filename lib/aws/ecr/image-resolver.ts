import { DescribeImagesCommand, type ECRClient, type ImageDetail } from '@aws-sdk/client-ecr';
import { parseImageRelease } from '../../config/image-release.ts';
import { findWorkload } from '../../config/training-of.ts';
import type { Workloads } from '../../config/workloads.ts';
import { NotFound } from '../../errors/store-errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ImageResolver } from '../../ports/image-resolver.ts';
import type { ImageName } from '../../training/stages.ts';
import { errorName, explainServiceError } from '../errors/service-errors.ts';
import { createContractReader } from './image-contract.ts';
import { type ImageReference, notFound, referenceOf } from './image-reference.ts';

/** Largest page of the service. */
const page = 1_000;

/** Milliseconds an answer is good for: a night of hundreds of runs must not ask hundreds of times. */
const freshMs = 60_000;

/** What the resolver is made of. */
export interface ImageResolverOptions {
  readonly client: ECRClient;
  /**
   * Image name to its repository. A bare repository means its newest tagged image; `repository:tag` that tag, which never
   * moves; `repository@sha256:...` exactly that image, without a call.
   */
  readonly repositoryUrls: Readonly<Partial<Record<ImageName, string>>>;
  /** Workloads; one that has images names the tag or digest of each, within its repository or another one of the registry. */
  readonly workloads: Workloads;
  readonly clock: Clock;
  /** Reads what an image says of itself, at an address that the registry signed. */
  readonly fetch: typeof fetch;
}

/** Signatures and attestations are tagged after the image they belong to, and what serves is no job: a release tags it so. */
function isImage({ imageTags = [] }: ImageDetail): boolean {
  return imageTags.some((tag) => !/^(sha256-[0-9a-f]{64}|serving-)/.test(tag));
}

const pushedAt = ({ imagePushedAt }: ImageDetail) => imagePushedAt?.getTime() ?? 0;

/** The reference as declared: a workload's tag or digest, otherwise what infrastructure says. */
function declaredReference(
  { repositoryUrls, workloads }: ImageResolverOptions,
  name: ImageName,
  workload: string | undefined,
): string {
  const given = repositoryUrls[name];
  if (given === undefined)
    throw new NotFound('IMAGE_NOT_FOUND', `No repository is known for image "${name}".`);
  const release = parseImageRelease(findWorkload(workloads, workload).images?.[name] ?? '');
  if (!release) return given;
  const { url } = referenceOf(given);
  const { repository, tag, digest } = release;
  const named = repository === undefined ? url : url.slice(0, url.indexOf('/') + 1) + repository;
  return digest === undefined ? `${named}:${tag}` : `${named}@${digest}`;
}

/**
 * Digests of images in ECR. Tags never move there and each environment has repositories of its own, so pushing a tagged
 * image into an environment's repository is what releases it; a pinned reference takes that back. `IMAGE_NOT_FOUND` names
 * the repository.
 */
export function createImageResolver(options: ImageResolverOptions): ImageResolver {
  const { client, clock } = options;
  const known = new Map<string, { readonly at: number; readonly reference: Promise<string> }>();

  async function describe(reference: ImageReference): Promise<ImageDetail[]> {
    const { registryId, repository, tag } = reference;
    const found: ImageDetail[] = [];
    let nextToken: string | undefined;
    do {
      const answer = await client.send(
        new DescribeImagesCommand({
          ...(registryId === undefined ? {} : { registryId }),
          repositoryName: repository,
          ...(tag === undefined
            ? { filter: { tagStatus: 'TAGGED' }, maxResults: page }
            : { imageIds: [{ imageTag: tag }] }),
          ...(nextToken ? { nextToken } : {}),
        }),
      );
      found.push(...(answer.imageDetails ?? []));
      nextToken = answer.nextToken;
    } while (nextToken);
    return found;
  }

  async function look(reference: ImageReference): Promise<ImageDetail[]> {
    try {
      return await describe(reference);
    } catch (error) {
      if (errorName(error) === 'RepositoryNotFoundException')
        throw notFound(reference, 'there is no such repository; infrastructure creates it');
      if (errorName(error) === 'ImageNotFoundException')
        throw notFound(reference, 'there is no image with this tag');
      throw explainServiceError(error, 'ecr:DescribeImages', reference.url);
    }
  }

  async function find(given: string): Promise<string> {
    const reference = referenceOf(given);
    if (reference.digest !== undefined) return `${reference.url}@${reference.digest}`;
    const images = (await look(reference)).filter(isImage);
    const newest = images.reduce<ImageDetail | undefined>(
      (best, image) => (best && pushedAt(best) >= pushedAt(image) ? best : image),
      undefined,
    );
    if (newest?.imageDigest === undefined)
      throw notFound(reference, 'it holds no tagged image yet; push one');
    return `${reference.url}@${newest.imageDigest}`;
  }

  function fresh(given: string): Promise<string> {
    const there = known.get(given);
    if (there && clock.now() - there.at < freshMs) return there.reference;
    const reference = find(given);
    known.set(given, { at: clock.now(), reference });
    // A failure is not an answer: the next run asks again.
    reference.catch(() => known.delete(given));
    return reference;
  }

  return {
    contractOf: createContractReader(options),
    resolve: async (names, workload) => {
      const references = await Promise.all(
        names.map(async (name) => [name, await fresh(declaredReference(options, name, workload))] as const),
      );
      return Object.fromEntries(references) as Record<ImageName, string>;
    },
  };
}
