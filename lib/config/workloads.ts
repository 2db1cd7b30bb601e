import { z } from 'zod';
import { imageNames } from '../training/stages.ts';
import { parseImageRelease } from './image-release.ts';

/** The workload of tenants that name none: Epsilon's own jobs, in `workload/`. */
export const referenceWorkload = 'reference';

const workloadName = z.string().regex(/^[a-z][a-z0-9-]{0,38}$/, 'must be a name as my-workload');

/** Fields that a tenant's record puts among a job's options; no option of a model type may be called so. */
const takenOptions: ReadonlySet<string> = new Set([
  'maxTokens',
  'maxDocuments',
  'textColumn',
  'idColumn',
  'badRowShare',
  'minSelfRetrieval',
  'judgedDigest',
  'judgedAt',
]);

const optionName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'must be a name as learningRate')
  .refine((name) => !takenOptions.has(name), 'is the name of a field that a tenant has anyway');

const optionValue = z.union([z.number(), z.boolean(), z.string().max(1_000)]);

/** Value of an option of a training. */
export type OptionValue = z.output<typeof optionValue>;

/** Values of a training's options, by name. */
export const optionValues = z.record(z.string(), optionValue);

/** An option with its bounds; a value alone is its default without bounds. */
const optionDeclaration = z.union([
  optionValue,
  z.strictObject({
    default: optionValue,
    min: z.number().optional(),
    max: z.number().optional(),
    whole: z.boolean().optional(),
    oneOf: z.array(optionValue).min(1).optional(),
  }),
]);

/** Declaration of an option. */
export type OptionDeclaration = z.output<typeof optionDeclaration>;

/** Passes over the data that a training makes. */
export const epochsSchema = z.int().min(1).max(10_000);

const modelType = z.strictObject({
  /** Passes over the data; the specification's 10 where nothing is declared. */
  epochs: epochsSchema.default(10),
  /** What else a tenant may choose; a job finds it in EPSILON_OPTIONS. */
  options: z.record(optionName, optionDeclaration).default({}),
});

/** A program with its arguments; the job contract's arguments follow. */
const argv = z.array(z.string().min(1)).min(1).max(64);

const variables = z.record(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable')
    .refine((name) => !name.startsWith('EPSILON_'), 'begins with EPSILON_, which the job contract has'),
  z.coerce.string(),
);

const workload = z.strictObject({
  modelTypes: z
    .record(workloadName, modelType)
    .refine((types) => Object.keys(types).length > 0, 'must have one model type at least'),
  /** Name of the model's file below the output of `train`. */
  model: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be the name of a file')
    .default('model.bin'),
  /** On this host: what runs instead of an image; `query` embeds questions (docs/job-contract.md). */
  commands: z
    .strictObject({ 'data-pipeline': argv, 'ml-engine': argv, deployer: argv, query: argv.optional() })
    .optional(),
  /** On this host: the working directory of the commands, from the folder of the checkout. */
  folder: z.string().min(1).optional(),
  /** On this host: a file that says which packages the commands have, from their working directory. */
  lock: z.string().min(1).optional(),
  /** On this host: variables of the commands beside those of the job contract. */
  environment: variables.optional(),
  /** On this host: versions of the job contract that the commands accept; an image says it by its label `epsilon.contract`. */
  contract: z.array(z.int().min(1).max(9_999)).min(1).optional(),
  /** On AWS: tag or digest of each image, in the environment's repository of that name or in another one that is named before it. */
  images: z
    .partialRecord(
      z.enum(imageNames),
      z
        .string()
        .refine(
          (given) => parseImageRelease(given) !== undefined,
          'must be a tag or sha256:<64 digits>, for a repository of your own <repository>:<tag> or <repository>@sha256:<64 digits>, which has no registry before it',
        ),
    )
    .optional(),
});

/** What a tenant's jobs run: model types, and programs or images. */
export type Workload = Readonly<z.output<typeof workload>>;

/** Workloads by name. */
export type Workloads = Readonly<Record<string, Workload>>;

/** Bytes of the table as JSON that a function's environment has room for: Lambda takes 4 KB for all variables together. */
const mostBytes = 1_536;

/** Why these workloads cannot be used in the environment; undefined when they can. */
function faultOf(
  workloads: Workloads,
  environment: string,
): { readonly path: string[]; readonly why: string } | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(workloads));
  if (environment !== 'local' && bytes > mostBytes)
    return { path: [], why: `has ${bytes} bytes as JSON; functions take at most ${mostBytes}` };
  if (!workloads[referenceWorkload])
    return { path: [referenceWorkload], why: 'is missing: tenants that name no workload have it' };
  for (const [name, { commands, folder, images }] of Object.entries(workloads)) {
    if (environment === 'local') {
      if (name !== referenceWorkload && !(commands && folder))
        return { path: [name, commands ? 'folder' : 'commands'], why: 'is missing: jobs are processes here' };
      continue;
    }
    const missing = imageNames.find((image) => images?.[image] === undefined);
    // Images of one repository are told apart by their tags: the newest one would be whichever workload was pushed last.
    if (missing && Object.keys(workloads).length > 1)
      return {
        path: [name, 'images', missing],
        why: 'is missing: with several workloads each names the tag or digest of its images',
      };
  }
  return undefined;
}

/** Workloads by name. */
export const workloadsSchema = z.record(workloadName, workload);

/** Refuses workloads that the environment cannot run; to be called with the settings as a whole. */
export function checkWorkloads(
  { workloads, environment }: { readonly workloads: Workloads; readonly environment: string },
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void {
  const fault = faultOf(workloads, environment);
  if (fault) context.addIssue({ code: 'custom', path: ['workloads', ...fault.path], message: fault.why });
}
