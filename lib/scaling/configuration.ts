import { z } from 'zod';
import { priceList, priceOf } from '../cost/prices.ts';
import type { ScalingSettings } from './decide.ts';
import { specFleet } from './replay.ts';

/** A metric in CloudWatch, or a query of Prometheus with one series. */
const metricSchema = z.union([
  z.strictObject({
    namespace: z.string().min(1),
    name: z.string().min(1),
    /** `Sum` becomes a rate by the second. */
    stat: z.enum(['Sum', 'Average', 'Maximum']),
    dimensions: z.record(z.string(), z.string()).default({}),
  }),
  z.strictObject({ query: z.string().min(1).max(2_000) }),
]);

/** Where a metric is read. */
export type MetricSource = Readonly<z.infer<typeof metricSchema>>;

/** Least nodes of a group: usually and in quiet hours, and whether replicas run on it. */
const groupSchema = z.strictObject({
  least: z.int().min(0).max(1_000),
  quiet: z.int().min(0).max(1_000).optional(),
  raised: z.boolean().default(true),
});

/** What is measured of the service that answers users, and what a replica of it carries. */
const decideSchema = z
  .strictObject({
    /** `decide`: decisions are made and recorded, nothing is set. `apply`: they are set, too. */
    mode: z.enum(['decide', 'apply']),
    /** The HorizontalPodAutoscaler whose minimum is set. */
    autoscaler: z
      .strictObject({ namespace: z.string().min(1), name: z.string().min(1) })
      .default({ namespace: 'production', name: 'backend-api-hpa' }),
    /** The load: load itself, such as requests; neither replicas nor utilisation, which the HPA changes. */
    metric: metricSchema,
    /** Where Prometheus answers, for metrics that are queries. */
    prometheus: z.url({ protocol: /^https?$/ }).optional(),
    /** Load that one replica carries at 100 % of its request; absent: learned. */
    perReplica: z.number().min(1e-9).max(1e15).optional(),
    /** What that is learned from, and which minutes more might have come in. */
    learn: z
      .strictObject({
        /** Cores that a replica asks for. */
        requestCores: z.number().min(0.001).max(1_000),
        cores: metricSchema,
        ready: metricSchema,
        wanted: metricSchema.optional(),
      })
      .optional(),
    minReplicas: z.int().min(1).max(1_000).default(specFleet.minReplicas),
    maxReplicas: z.int().min(1).max(1_000).default(specFleet.maxReplicas),
    /** From the order of a node until it takes pods. */
    nodeStartSeconds: z.int().min(0).max(3_600).default(specFleet.nodeStartSeconds),
    /** A replica hour short costs as much as so many idle ones. */
    shortToIdle: z.number().min(1).max(1_000_000).default(100),
    /** UTC hours, the last one excluded, in which own raises are withdrawn; over midnight where the first is the later one. */
    quietHours: z
      .strictObject({
        from: z.int().min(0).max(23),
        until: z.int().min(0).max(23),
        /** Least replicas in them; absent: `minReplicas`. */
        minReplicas: z.int().min(1).max(1_000).optional(),
      })
      .optional(),
    /** The managed node groups that are raised with the replicas, by name, with their sizes of infra/config/infrastructure. */
    nodeGroups: z.record(z.string().regex(/^[\w-]{1,63}$/), groupSchema).default({}),
  })
  .refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, {
    message: 'minReplicas is above maxReplicas',
    path: ['minReplicas'],
  })
  .refine(({ perReplica, learn }) => perReplica !== undefined || learn !== undefined, {
    message: 'says neither perReplica nor what it is learned from (learn)',
    path: ['perReplica'],
  })
  .refine(
    ({ metric, learn, prometheus }) =>
      prometheus !== undefined ||
      ![metric, learn?.cores, learn?.ready, learn?.wanted].some((one) => one && 'query' in one),
    { message: 'is needed where a metric is a query', path: ['prometheus'] },
  )
  .refine(({ minReplicas, quietHours }) => (quietHours?.minReplicas ?? minReplicas) <= minReplicas, {
    message: 'quiet hours have no more replicas than others',
    path: ['quietHours', 'minReplicas'],
  })
  .refine(({ nodeGroups }) => Object.values(nodeGroups).every(({ least, quiet = least }) => quiet <= least), {
    message: 'quiet hours have no more nodes than others',
    path: ['nodeGroups'],
  });

/** The section `scaling` of the settings. */
export const scalingSchema = z.union([z.strictObject({ mode: z.literal('off') }), decideSchema]);

/** The section where decisions are made. */
export type ScalingConfig = Readonly<z.infer<typeof decideSchema>>;

/** Least replicas and nodes of production, whatever the hour. */
const productionLeast = { replicas: 3, raisedNodes: 2, otherNodes: 1 } as const;

/** What of the settings goes below production's least, if anything: a sentence. */
function belowProduction(config: z.infer<typeof scalingSchema>): string | undefined {
  if (config.mode === 'off') return undefined;
  const { minReplicas, quietHours, nodeGroups } = config;
  const replicas = Math.min(minReplicas, quietHours?.minReplicas ?? minReplicas);
  if (replicas < productionLeast.replicas)
    return `production has at least ${productionLeast.replicas} replicas, not ${replicas}`;
  for (const [raised, least] of [
    [true, productionLeast.raisedNodes],
    [false, productionLeast.otherNodes],
  ] as const) {
    const groups = Object.values(nodeGroups).filter((group) => group.raised === raised);
    const nodes = groups.reduce((sum, group) => sum + (group.quiet ?? group.least), 0);
    if (groups.length > 0 && nodes < least)
      return `production has at least ${least} nodes for ${raised ? 'what is raised' : 'what is not raised'}, not ${nodes}`;
  }
  return undefined;
}

/** Refuses settings of production that would leave less than it needs, at whatever hour. */
export function checkScaling(
  { environment, scaling }: { readonly environment: string; readonly scaling: z.infer<typeof scalingSchema> },
  context: z.RefinementCtx,
): void {
  const message = environment === 'prod' ? belowProduction(scaling) : undefined;
  if (message !== undefined) context.addIssue({ code: 'custom', message, path: ['scaling'] });
}

/** What decisions are made by. */
export function scalingSettings(config: ScalingConfig): ScalingSettings {
  const { minReplicas, maxReplicas, nodeStartSeconds, perReplica, learn, shortToIdle } = config;
  return {
    fleet: { ...specFleet, minReplicas, maxReplicas, nodeStartSeconds },
    economy: {
      perReplica: perReplica ?? Number.MAX_VALUE,
      shortToIdle,
      nodeHour: priceOf(priceList.instanceHour, 't3.large') * priceList.spotShare,
    },
    ...(perReplica === undefined && learn ? { learn: { requestCores: learn.requestCores } } : {}),
  };
}

/** Least replicas of an instant (milliseconds) in the quiet hours; undefined outside them. */
export function quietReplicas({ quietHours, minReplicas }: ScalingConfig, now: number): number | undefined {
  if (!quietHours) return undefined;
  const hour = new Date(now).getUTCHours();
  const { from, until } = quietHours;
  const quiet = from <= until ? hour >= from && hour < until : hour >= from || hour < until;
  return quiet ? (quietHours.minReplicas ?? minReplicas) : undefined;
}
