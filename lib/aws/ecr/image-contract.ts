import {
  BatchGetImageCommand,
  type BatchGetImageCommandInput,
  type ECRClient,
  GetDownloadUrlForLayerCommand,
} from '@aws-sdk/client-ecr';
import { z } from 'zod';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { Throttled } from '../../errors/run-errors.ts';
import type { ImageResolver } from '../../ports/image-resolver.ts';
import { contractLabel, versionsOfLabel } from '../../training/attempts/job-contract.ts';
import { errorName, explainServiceError } from '../errors/service-errors.ts';
import { type ImageReference, notFound, referenceOf } from './image-reference.ts';

/** Forms in which registries keep an image, and those of several platforms. */
const mediaTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

/** Milliseconds that the store of the registry has to answer. */
const patienceMs = 10_000;

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** Most bytes of an image's description of itself; Lambda reads it into memory. */
const mostBytes = 4_194_304;

/** An image is one of a platform, or a list of such; attestations in the list are of no platform. */
const manifestSchema = z.union([
  z.object({ config: z.object({ digest, size: z.int().max(mostBytes) }) }),
  z.object({
    manifests: z.array(z.object({ digest, platform: z.object({ os: z.string() }).optional() })),
  }),
]);

const configSchema = z.object({
  config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
});

/** What is read with. */
export interface ContractReaderOptions {
  readonly client: ECRClient;
  readonly fetch: typeof fetch;
}

function unreadable({ url, digest: of }: ImageReference, cause?: unknown): EpsilonError {
  return new EpsilonError(
    'IMAGE_UNREADABLE',
    `${url}@${of}: what the registry keeps is no container image.`,
    {
      exitCode: exitCodes.runFailed,
      cause,
    },
  );
}

function parsed<T>(schema: z.ZodType<T>, text: string, reference: ImageReference): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(reference, error);
  }
}

const namedIn = ({ registryId, repository }: ImageReference) => ({
  ...(registryId === undefined ? {} : { registryId }),
  repositoryName: repository,
});

/**
 * Reads the label `epsilon.contract` of images in ECR, once each, because a digest never says anything else. An image of several platforms
 * accepts what all of them do. Errors: `IMAGE_NOT_FOUND`, `IMAGE_UNREADABLE`, `AWS_ACCESS_DENIED`; `Throttled` when the registry
 * or its store should be asked again.
 */
export function createContractReader({
  client,
  fetch: read,
}: ContractReaderOptions): ImageResolver['contractOf'] {
  const known = new Map<string, Promise<readonly number[]>>();

  async function manifestOf(reference: ImageReference, imageDigest: string) {
    const ask: BatchGetImageCommandInput = {
      ...namedIn(reference),
      imageIds: [{ imageDigest }],
      acceptedMediaTypes: mediaTypes,
    };
    const { images = [], failures = [] } = await client
      .send(new BatchGetImageCommand(ask))
      .catch((error: unknown) => {
        if (errorName(error) === 'RepositoryNotFoundException')
          throw notFound(reference, 'there is no such repository; infrastructure creates it');
        throw explainServiceError(error, 'ecr:BatchGetImage', reference.url);
      });
    const text = images[0]?.imageManifest;
    if (text !== undefined) return parsed(manifestSchema, text, reference);
    const [{ failureReason = 'the registry does not have it' } = {}] = failures;
    throw notFound(reference, `${imageDigest}: ${failureReason}`);
  }

  async function labelOf(reference: ImageReference, layerDigest: string): Promise<string | undefined> {
    const ask = { ...namedIn(reference), layerDigest };
    const { downloadUrl } = await client
      .send(new GetDownloadUrlForLayerCommand(ask))
      .catch((error: unknown) => {
        throw explainServiceError(error, 'ecr:GetDownloadUrlForLayer', reference.url);
      });
    if (downloadUrl === undefined) throw unreadable(reference);
    const text = await read(downloadUrl, { signal: AbortSignal.timeout(patienceMs) })
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(`status ${answer.status}`))))
      .catch((error: unknown) => {
        throw new Throttled(
          `The store of ${reference.url} does not answer (${(error as Error).message}).`,
          error,
        );
      });
    return parsed(configSchema, text, reference).config?.Labels?.[contractLabel];
  }

  async function versionsOf(reference: ImageReference, of: string): Promise<readonly number[]> {
    const manifest = await manifestOf(reference, of);
    if ('config' in manifest) return versionsOfLabel(await labelOf(reference, manifest.config.digest));
    const runnable = manifest.manifests.filter(({ platform }) => platform?.os !== 'unknown');
    if (runnable.length === 0) throw unreadable(reference);
    const each = await Promise.all(runnable.map((one) => versionsOf(reference, one.digest)));
    return each.reduce((common, versions) => common.filter((version) => versions.includes(version)));
  }

  return (image) => {
    const there = known.get(image);
    if (there) return there;
    const reference = referenceOf(image);
    const versions = versionsOf(reference, reference.digest ?? '');
    known.set(image, versions);
    // A failure is not an answer: the next run asks again.
    versions.catch(() => known.delete(image));
    return versions;
  };
}
