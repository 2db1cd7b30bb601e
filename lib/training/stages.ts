/** The training stages, in the order of the night. */
export const stageNames = ['prepare', 'train', 'index', 'deploy', 'cache'] as const;

/** Name of a training stage. */
export type StageName = (typeof stageNames)[number];

/** Names of the container images of the stages; digests are resolved once when a run begins. */
export const imageNames = ['data-pipeline', 'ml-engine', 'deployer'] as const;

/** Name of a container image. */
export type ImageName = (typeof imageNames)[number];

/** Requested resources of one job. */
export interface Resources {
  /** vCPU, may be fractional. */
  readonly cpu: number;
  /** Mebibytes. */
  readonly memoryMiB: number;
}

/** Seconds that each stage takes. */
export type StageSeconds = Readonly<Record<StageName, number>>;

/** What a stage's arguments may depend on. */
export interface StageArguments {
  readonly tenantId: string;
  readonly modelType: string;
  /** Passes over the data that a training makes. */
  readonly epochs: number;
  /** Name of the model's file below the output of `train`. */
  readonly modelFile: string;
  /** This attempt's output prefix. */
  readonly outputUri: string;
  /** Input name to URI, as `StageDefinition.inputs` lists them. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** One entry of the stage catalogue. */
export interface StageDefinition {
  readonly name: StageName;
  /** Name of the Task state in statemachines/tenant-model-training.asl.json. */
  readonly state: string;
  readonly image: ImageName;
  /** Input name to the stage that writes it; `documents` comes from the tenant record. */
  readonly inputs: Readonly<Record<string, StageName | 'documents'>>;
  readonly resources: Resources;
  /** Seconds one attempt may take, queueing included; equals the state's TimeoutSeconds. */
  readonly timeoutSeconds: number;
  /** The job saves its state as it goes and starts where an earlier attempt of the stage left off. */
  readonly checkpoints?: true;
  readonly arguments: (values: StageArguments) => string[];
}

/**
 * The stage catalogue: images, arguments and resources of the source specification's training pipeline
 * (section "Training Orchestration"). Stages without resources there ask for 0.5 cpu and 512 MiB.
 */
export const stages: Readonly<Record<StageName, StageDefinition>> = {
  prepare: {
    name: 'prepare',
    state: 'PrepareTrainingData',
    image: 'data-pipeline',
    inputs: { documents: 'documents' },
    resources: { cpu: 1, memoryMiB: 2048 },
    timeoutSeconds: 14_400,
    arguments: ({ tenantId, outputUri }) => ['--tenant-id', tenantId, '--output', outputUri],
  },
  train: {
    name: 'train',
    state: 'TrainModel',
    image: 'ml-engine',
    inputs: { data: 'prepare' },
    resources: { cpu: 4, memoryMiB: 8192 },
    timeoutSeconds: 43_200,
    checkpoints: true,
    arguments: ({ tenantId, modelType, epochs }) => [
      '--tenant-id',
      tenantId,
      '--model-type',
      modelType,
      '--epochs',
      String(epochs),
    ],
  },
  index: {
    name: 'index',
    state: 'BuildFaissIndex',
    image: 'ml-engine',
    inputs: { data: 'prepare', model: 'train' },
    resources: { cpu: 2, memoryMiB: 4096 },
    timeoutSeconds: 14_400,
    arguments: ({ tenantId }) => ['--tenant-id', tenantId, '--build-index'],
  },
  deploy: {
    name: 'deploy',
    state: 'DeployModel',
    image: 'deployer',
    inputs: { data: 'prepare', model: 'train', index: 'index' },
    resources: { cpu: 0.5, memoryMiB: 512 },
    timeoutSeconds: 7_200,
    arguments: ({ tenantId, inputs, modelFile }) => [
      '--tenant-id',
      tenantId,
      '--model-path',
      `${inputs['model'] ?? ''}${modelFile}`,
    ],
  },
  cache: {
    name: 'cache',
    state: 'UpdateRedisCache',
    image: 'ml-engine',
    inputs: { data: 'prepare', model: 'train', index: 'index' },
    resources: { cpu: 0.5, memoryMiB: 512 },
    timeoutSeconds: 7_200,
    arguments: ({ tenantId }) => ['--tenant-id', tenantId, '--refresh-cache'],
  },
};

/** What a backend runs jobs for: the stages of a training, and looks at datasets (docs/quality.md). */
export const jobStageNames = [...stageNames, 'profile'] as const;

/** One of them. */
export type JobStage = (typeof jobStageNames)[number];

/** Whether a job is one of a training. */
export function isStage(kind: JobStage): kind is StageName {
  return kind !== 'profile';
}

/** What is the same of all jobs of one kind. */
type JobKind = Pick<
  StageDefinition,
  'state' | 'image' | 'inputs' | 'resources' | 'timeoutSeconds' | 'checkpoints'
>;

/** A job that looks at datasets: the state ProfileDataset of statemachines/data-quality-check.asl.json. */
const profile: JobKind = {
  state: 'ProfileDataset',
  image: 'data-pipeline',
  inputs: {},
  resources: { cpu: 1, memoryMiB: 2048 },
  timeoutSeconds: 1_400,
};

/** Every kind of job. */
export const jobKinds: Readonly<Record<JobStage, JobKind>> = { ...stages, profile };
