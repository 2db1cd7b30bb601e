import type { JobDefinition, RegisterJobDefinitionRequest } from '@aws-sdk/client-batch';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { NotFound } from '../../errors/store-errors.ts';
import type { JobSpec } from '../../training/attempts/job.ts';
import { type ImageName, isStage, type StageName, stages } from '../../training/stages.ts';
import type { BatchCalls } from './batch-calls.ts';

/** Longest name of a definition. */
const longestName = 128;

const pinned = /^(.+)@sha256:([0-9a-f]{64})$/;

/** Finds the definition under which a job runs exactly the image its run was begun with. */
export interface JobDefinitions {
  /** ARN with revision. Errors: `IMAGE_NOT_PINNED`, `IMAGE_REPOSITORY_DIFFERS`, `JOB_DEFINITION_MISSING`. */
  arnFor(spec: Pick<JobSpec, 'stage' | 'image'>): Promise<string>;
}

/** What the definitions are made of. */
export interface JobDefinitionsOptions {
  readonly calls: Pick<BatchCalls, 'definitions' | 'register'>;
  /** Stage to the definition that infrastructure wrote. */
  readonly templates: Readonly<Partial<Record<StageName, string>>>;
  /** Repositories besides those of the templates whose images may run, by image, without the registry's host. */
  readonly furtherRepositories: (image: ImageName) => readonly string[];
}

function partsOf(image: string): { repository: string; digest: string } {
  const [, repository, digest] = pinned.exec(image) ?? [];
  if (repository && digest) return { repository, digest };
  throw new EpsilonError(
    'IMAGE_NOT_PINNED',
    `Image ${JSON.stringify(image)} does not end in "@sha256:<digest>".`,
  );
}

/** The template with another digest: everything else, roles above all, stays as infrastructure wrote it. */
function withImage(
  template: JobDefinition,
  jobDefinitionName: string,
  image: string,
): RegisterJobDefinitionRequest {
  const {
    containerProperties,
    retryStrategy,
    timeout,
    platformCapabilities,
    propagateTags,
    parameters,
    tags,
  } = template;
  return {
    jobDefinitionName,
    type: 'container',
    // Said, not left out: the role asks for it (infra/serverless/roles/training.yml).
    containerProperties: {
      ...containerProperties,
      image,
      privileged: containerProperties?.privileged ?? false,
    },
    ...(parameters ? { parameters } : {}),
    ...(retryStrategy ? { retryStrategy } : {}),
    ...(timeout ? { timeout } : {}),
    ...(platformCapabilities ? { platformCapabilities } : {}),
    ...(propagateTags === undefined ? {} : { propagateTags }),
    ...(tags ? { tags } : {}),
  };
}

/** Named after template, its revision and digest: a template that changed (another role, say) has copies of its own. */
function nameOf({ jobDefinitionName = '', revision = 0 }: JobDefinition, digest: string): string {
  const end = `-r${revision}-${digest.slice(0, 16)}`;
  return `${jobDefinitionName.slice(0, longestName - end.length)}${end}`;
}

/**
 * Definitions by image digest. SubmitJob cannot choose an image, and infrastructure's definition moves on with every release;
 * a run keeps the digests it was begun with, also when it is redriven after a release. So a digest that is not the
 * template's gets a definition of its own, copied from the template, once for all runs.
 */
export function createJobDefinitions({
  calls,
  templates,
  furtherRepositories,
}: JobDefinitionsOptions): JobDefinitions {
  const kept = new Map<string, Promise<string>>();

  async function template(stage: StageName): Promise<JobDefinition> {
    const arn = templates[stage];
    const [found] = arn === undefined ? [] : await calls.definitions({ jobDefinitions: [arn] });
    if (found) return found;
    throw new NotFound(
      'JOB_DEFINITION_MISSING',
      `There is no Batch job definition for stage "${stage}"; infrastructure creates it when the image of the stage has a digest.`,
    );
  }

  /** A job gets a tenant's credentials: only code of repositories that configuration names may have them. */
  function checkRepository(stage: StageName, image: string, [own, asked]: readonly [string, string]): void {
    const registry = own.slice(0, own.indexOf('/') + 1);
    const further = furtherRepositories(stages[stage].image).map((name) => registry + name);
    if (asked === own || further.includes(asked)) return;
    throw new EpsilonError(
      'IMAGE_REPOSITORY_DIFFERS',
      `Stage "${stage}" runs images of ${[own, ...further].join(', ')}, not ${image}; other repositories are named by a workload of the configuration.`,
      { exitCode: exitCodes.badInput },
    );
  }

  async function resolve(stage: StageName, image: string): Promise<string> {
    const { repository, digest } = partsOf(image);
    const base = await template(stage);
    const from = base.containerProperties?.image ?? '';
    checkRepository(stage, image, [partsOf(from).repository, repository]);
    if (from === image && base.status === 'ACTIVE') return base.jobDefinitionArn ?? '';
    const name = nameOf(base, digest);
    const there = await calls.definitions({ jobDefinitionName: name, status: 'ACTIVE' });
    const same = there.find(({ containerProperties }) => containerProperties?.image === image);
    return same?.jobDefinitionArn ?? calls.register(withImage(base, name, image));
  }

  return {
    arnFor: ({ stage: kind, image }) => {
      // A look at datasets has image, user and limits of the stage that reads documents.
      const stage = isStage(kind) ? kind : 'prepare';
      const key = `${stage} ${image}`;
      const there = kept.get(key);
      if (there) return there;
      const resolved = resolve(stage, image);
      kept.set(key, resolved);
      // A failure is not kept: the next job asks again.
      resolved.catch(() => kept.delete(key));
      return resolved;
    },
  };
}
