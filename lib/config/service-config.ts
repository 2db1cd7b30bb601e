import { z } from 'zod';

/** Environments; Serverless's own `--stage` flag sets one. */
export const environments = ['local', 'dev', 'staging', 'prod'] as const;

/**
 * Settings of the control plane: one file per environment under infra/config/, the same schema for
 * serverless.yml, handlers and the command line. Unknown keys are errors.
 */
export const serviceConfigSchema = z.strictObject({
  environment: z.enum(environments),
  region: z.string().min(1),
  /** Bucket of tenant data, models and run outputs. */
  dataBucket: z.string().min(3),
  training: z.strictObject({
    /** Tenant runs of one night at a time, 1 to 10,000. */
    maxConcurrency: z.int().min(1).max(10_000),
    /** Share of judged tenants that must be exceeded for a night to succeed (specification: more than 95 %). */
    successTarget: z.number().min(0).lt(1),
    /** Seconds a tenant's lease lives without renewal; at least three reconciler periods. */
    leaseSeconds: z.int().min(180).max(86_400),
    /** Preemptions of one stage after which it runs on on-demand capacity. */
    preemptionsBeforeOnDemand: z.int().min(0).max(10),
    /** Seconds a submitted job may be invisible to its backend before it counts as lost. */
    lookupGraceSeconds: z.int().min(0).max(3_600),
  }),
  reconcile: z.strictObject({
    /** Parts the open attempts are split into, one reconciler each. */
    shards: z.int().min(1).max(64),
  }),
  quality: z.strictObject({
    /** `required`: a tenant without a verdict is not trained. `optional`: only a failed verdict stops it. */
    gate: z.enum(['required', 'optional']),
  }),
});

/** The settings, deeply read-only in use. */
export type ServiceConfig = Readonly<z.infer<typeof serviceConfigSchema>>;
