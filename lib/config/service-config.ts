import { z } from 'zod';
import { recoverySchema } from '../backup/cloud/settings.ts';
import { timeOfDay } from '../capacity/deadline.ts';
import { scalingSchema } from '../scaling/configuration.ts';
import { airflowSchema } from './airflow.ts';
import { environments } from './environments.ts';
import { tracingSchema } from './tracing.ts';
import { workloadsSchema } from './workloads.ts';

/**
 * Settings of the control plane: one file per environment under infra/config/, the same schema for
 * serverless.yml, handlers and the command line. Unknown keys are errors.
 */
export const serviceConfigSchema = z.strictObject({
  environment: z.enum(environments),
  region: z.string().min(1),
  /** Bucket of tenant data, models and run outputs. */
  dataBucket: z.string().min(3),
  /** Whether jobs may run on the Kubernetes cluster; `off` leaves Batch, and functions outside the network. */
  kubernetes: z.enum(['on', 'off']).default('off'),
  training: z.strictObject({
    /** Tenant runs of one night at a time, 1 to 10,000. */
    maxConcurrency: z.int().min(1).max(10_000),
    /** Time of day (UTC) by which a night's models have to be ready; a tenant may have its own. */
    deadline: z.string().regex(timeOfDay, 'must be a time of day (UTC) as 08:00'),
    /** Share of judged tenants that must be exceeded for a night to succeed (specification: more than 95 %). */
    successTarget: z.number().min(0).lt(1),
    /** Seconds a tenant's lease lives without renewal; at least three reconciler periods. */
    leaseSeconds: z.int().min(180).max(86_400),
    /** Preemptions of one stage after which it runs on on-demand capacity. */
    preemptionsBeforeOnDemand: z.int().min(0).max(10),
    /** Seconds a job may wait for capacity, its own turn not counted, before the other kind is tried. */
    placementSeconds: z.int().min(60).max(7_200),
    /** Seconds a submitted job may be invisible to its backend before it counts as lost. */
    lookupGraceSeconds: z.int().min(0).max(3_600),
  }),
  /** vCPU that training may use at a time, by backend and kind; 0 when that is not known, which then limits nothing. */
  queueSize: z.strictObject({
    batchSpotVcpus: z.int().min(0),
    batchOnDemandVcpus: z.int().min(0),
    eksSpotVcpus: z.int().min(0),
    eksOnDemandVcpus: z.int().min(0),
    /** MiB of memory that go with one vCPU on the leanest of the instance types, the node's own daemons taken off. */
    memoryPerVcpu: z.int().min(256),
  }),
  reconcile: z.strictObject({
    /** Parts the open attempts are split into, one reconciler each. */
    shards: z.int().min(1).max(64),
  }),
  quality: z.strictObject({
    /** `required`: a tenant without a verdict is not trained. `optional`: only a critical verdict stops it. */
    gate: z.enum(['required', 'optional']),
    /** Hours that a verdict is good for where the gate is required. */
    maxAgeHours: z.int().min(1).max(8_784),
    /** Characters of a tenant's documents that a check reads; of larger data it reads the beginning and says so. */
    maxBytes: z.int().min(1_000_000),
  }),
  /** What tenants' jobs run, by name. */
  workloads: workloadsSchema,
  /** What is measured of the service that answers users, and what its replicas carry. */
  scaling: scalingSchema,
  /** Whether jobs of the eks backend are runs of an Airflow (docs/airflow.md). */
  airflow: airflowSchema,
  /** Where traces of runs go (docs/metrics.md). */
  tracing: tracingSchema,
  /** What the bill is of (docs/cost.md). */
  billing: z
    .strictObject({
      /** `account`: the account has this environment alone. `tagged`: of several, what carries the tag epsilon:environment of this one. */
      scope: z.enum(['account', 'tagged']),
    })
    .default({ scope: 'account' }),
  /** How the environment is backed up on AWS, and where it is restored. */
  recovery: recoverySchema,
});

/** The settings, deeply read-only in use. */
export type ServiceConfig = Readonly<z.infer<typeof serviceConfigSchema>>;

/** What is billed: the account, or this environment's part of it. */
export type BillScope = ServiceConfig['billing']['scope'];
