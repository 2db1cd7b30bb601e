import { z } from 'zod';
import { priceList, priceOf } from '../cost/prices.ts';
import type { ScalingSettings } from './decide.ts';
import { specFleet } from './replay.ts';

/** What is measured of the service that answers users, and what a replica of it carries. */
const decideSchema = z
  .strictObject({
    /** `decide`: decisions are made and recorded, nothing is set. `apply`: they are set, too. */
    mode: z.enum(['decide', 'apply']),
    /** The HorizontalPodAutoscaler whose minimum is set. */
    autoscaler: z
      .strictObject({ namespace: z.string().min(1), name: z.string().min(1) })
      .default({ namespace: 'production', name: 'backend-api-hpa' }),
    /** The load's metric in CloudWatch: load itself, such as requests; neither replicas nor utilisation, which the HPA changes. */
    metric: z.strictObject({
      namespace: z.string().min(1),
      name: z.string().min(1),
      /** `Sum` becomes a rate by the second. */
      stat: z.enum(['Sum', 'Average', 'Maximum']),
      dimensions: z.record(z.string(), z.string()).default({}),
    }),
    /** Load that one replica carries at 100 % of its request. */
    perReplica: z.number().min(1e-9).max(1e15),
    minReplicas: z.int().min(1).max(1_000).default(specFleet.minReplicas),
    maxReplicas: z.int().min(1).max(1_000).default(specFleet.maxReplicas),
    /** From the order of a node until it takes pods. */
    nodeStartSeconds: z.int().min(0).max(3_600).default(specFleet.nodeStartSeconds),
    /** A replica hour short costs as much as so many idle ones. */
    shortToIdle: z.number().min(1).max(1_000_000).default(100),
    /** UTC hours, the last one excluded, in which own raises are withdrawn; over midnight where the first is the later one. */
    quietHours: z.strictObject({ from: z.int().min(0).max(23), until: z.int().min(0).max(23) }).optional(),
  })
  .refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, {
    message: 'minReplicas is above maxReplicas',
    path: ['minReplicas'],
  });

/** The section `scaling` of the settings. */
export const scalingSchema = z.union([z.strictObject({ mode: z.literal('off') }), decideSchema]);

/** The section where decisions are made. */
export type ScalingConfig = Readonly<z.infer<typeof decideSchema>>;

/** What decisions are made by. */
export function scalingSettings(config: ScalingConfig): ScalingSettings {
  const { minReplicas, maxReplicas, nodeStartSeconds, perReplica, shortToIdle } = config;
  return {
    fleet: { ...specFleet, minReplicas, maxReplicas, nodeStartSeconds },
    economy: {
      perReplica,
      shortToIdle,
      nodeHour: priceOf(priceList.instanceHour, 't3.large') * priceList.spotShare,
    },
  };
}

/** Whether an instant (milliseconds) is in the quiet hours. */
export function isQuiet({ quietHours }: ScalingConfig, now: number): boolean {
  if (!quietHours) return false;
  const hour = new Date(now).getUTCHours();
  const { from, until } = quietHours;
  return from <= until ? hour >= from && hour < until : hour >= from || hour < until;
}
