import { z } from 'zod';

const nodeGroupSchema = z.strictObject({
  /** First choice first; several widen the spot pool. */
  instanceTypes: z.array(z.string().regex(/^[a-z0-9-]+\.[a-z0-9]+$/)).min(1),
  capacityType: z.enum(['SPOT', 'ON_DEMAND']),
  /** Nodes. Bounds are checked together, as SIZE_RANGE. */
  minSize: z.int(),
  maxSize: z.int(),
  desiredSize: z.int(),
});

/** Images of the training stages. */
export const trainingImages = ['data-pipeline', 'ml-engine', 'deployer'] as const;

/** Settings of the AWS infrastructure: one file per environment under infra/config/infrastructure/. Unknown keys are errors. */
export const infrastructureSchema = z.strictObject({
  environment: z.enum(['dev', 'staging', 'prod']),
  /** Appended to the fixed names, so that environments may share an account; empty in production. */
  nameSuffix: z.string().regex(/^(-[a-z0-9]+)?$/),
  /** Region of the replicas; another one than the service's. */
  disasterRecoveryRegion: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  network: z.strictObject({
    cidr: z
      .string()
      .regex(
        /^(10\.\d{1,3}|172\.(1[6-9]|2\d|3[01])|192\.168)\.0\.0\/16$/,
        'must be a private network a.b.0.0/16',
      ),
    zones: z.array(z.string().regex(/^[a-z]$/)).length(3),
    /** One NAT gateway (cheap) or one per zone (survives a zone). */
    natGateways: z.union([z.literal(1), z.literal(3)]),
    /**
     * Zones in which AWS services have an address of their own, paid for by service, zone and hour: 3 survive a zone, from 1
     * all are reached, 0 sends everything through the NAT gateway.
     */
    endpointZones: z.union([z.literal(0), z.literal(1), z.literal(3)]),
  }),
  cluster: z.strictObject({
    version: z.string().regex(/^1\.\d{2}$/),
    /** Networks that may reach the public endpoint; /16 or narrower. */
    publicAccessCidrs: z.array(z.string().regex(/^\d+\.\d+\.\d+\.\d+\/\d{1,2}$/)).min(1),
    /** IAM roles with cluster administration, through access entries. */
    administratorRoles: z.array(z.string().regex(/^[\w+=,.@/-]{1,128}$/)).min(1),
  }),
  nodeGroups: z.strictObject({
    general: nodeGroupSchema,
    ml_workloads: nodeGroupSchema,
    training_spot: nodeGroupSchema,
    training_on_demand: nodeGroupSchema,
  }),
  /**
   * Identifier of a database that was restored in the disaster recovery region and goes on: the program takes it over as it is
   * (docs/recover.md).
   */
  restoredDatabase: z
    .string()
    .regex(/^[a-z](-?[a-z0-9])*$/)
    .max(63)
    .optional(),
  /** Training jobs of the largest stage that fit one node of training_spot or training_on_demand. */
  trainingJobsPerNode: z.int().min(1).max(64),
  database: z.strictObject({
    instanceClass: z.string().startsWith('db.'),
    /** GiB. */
    allocatedStorage: z.int().min(20).max(65_536),
    multiAz: z.boolean(),
    /** Days, 1 to 35. */
    backupRetentionDays: z.int(),
  }),
  cache: z.strictObject({ nodeType: z.string().startsWith('cache.'), nodes: z.int().min(1).max(6) }),
  storage: z.strictObject({
    /** Days after creation. */
    intelligentTieringDays: z.int(),
    glacierDays: z.int(),
    logExpiryDays: z.int(),
    noncurrentExpiryDays: z.int().min(1).max(3_650),
  }),
  batch: z.strictObject({
    /** vCPU; queues scale to zero. */
    spotMaxVcpus: z.int(),
    onDemandMaxVcpus: z.int(),
  }),
  /** Image name to `sha256:...`; job definitions exist for the stages whose image is known. */
  imageDigests: z.record(
    z.enum(trainingImages),
    z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/)
      .nullable(),
  ),
  github: z.strictObject({
    /** `owner/name`; no wildcards, so that exactly one repository may assume the role. */
    repository: z.string().regex(/^[A-Za-z0-9-]+\/[A-Za-z0-9._-]+$/),
  }),
  /** Host under which a release's jobs reach Argo CD; left out while nobody releases here. */
  argocdHost: z.hostname().optional(),
  budget: z.strictObject({
    /** US dollars a month. */
    monthlyUsd: z.number().positive(),
    alertEmail: z.email(),
  }),
});

/** Settings as the file has them. */
export type InfrastructureFile = z.infer<typeof infrastructureSchema>;

/** What infrastructure takes from the service's own settings, so that no value is written twice. */
export interface ServiceFacts {
  readonly environment: string;
  readonly region: string;
  readonly dataBucket: string;
  readonly training: { readonly maxConcurrency: number };
  readonly queueSize: {
    readonly batchSpotVcpus: number;
    readonly batchOnDemandVcpus: number;
    readonly eksSpotVcpus: number;
    readonly eksOnDemandVcpus: number;
  };
}

/** Checked settings with the service's facts joined. */
export interface InfrastructureConfig extends Readonly<InfrastructureFile> {
  readonly region: string;
  readonly dataBucket: string;
  readonly maxConcurrency: number;
  readonly queueSize: ServiceFacts['queueSize'];
}
