import type { ImageName } from '../training/stages.ts';

/** Which image a workload names: a tag or digest of the environment's own repository, or of another one of the same registry. */
export interface ImageRelease {
  /** Name of the other repository, without the registry's host. */
  readonly repository: string | undefined;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Workloads by name, as far as they name images. */
type WithImages = Readonly<
  Record<string, { readonly images?: Readonly<Partial<Record<ImageName, string>>> | undefined }>
>;

const part = '[a-z0-9]+(?:[._-]+[a-z0-9]+)*';

/** `[<repository>:]<tag>`, `[<repository>@]sha256:<digest>`. A first part with a dot would be the host of a registry. */
const release = new RegExp(
  `^(?:(?<pinned>(?![^/]*\\.[^/]*/)${part}(?:/${part})*)@)?(?<digest>sha256:[0-9a-f]{64})$|` +
    `^(?:(?<tagged>(?![^/]*\\.[^/]*/)${part}(?:/${part})*):)?(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127})$`,
);

/** Longest name of a repository in ECR. */
const longestRepository = 256;

/** What an image of a workload names; undefined when it names none. */
export function parseImageRelease(given: string): ImageRelease | undefined {
  const { pinned, digest, tagged, tag } = release.exec(given)?.groups ?? {};
  if (digest === undefined && tag === undefined) return undefined;
  const repository = pinned ?? tagged;
  if (repository !== undefined && repository.length > longestRepository) return undefined;
  return { repository, tag, digest };
}

/** Repositories besides the environment's own that workloads name, of one image or of all: a list, each once, in order. */
export function furtherRepositories(workloads: WithImages, image?: ImageName): string[] {
  const named = Object.values(workloads).flatMap(({ images = {} }) =>
    (Object.keys(images) as ImageName[])
      .filter((name) => image === undefined || name === image)
      .flatMap((name) => parseImageRelease(images[name] ?? '')?.repository ?? []),
  );
  return [...new Set(named)].sort();
}
