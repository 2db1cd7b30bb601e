import type { ServiceConfig } from '../../config/service-config.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { type Resources, type StageName, stageNames, stages } from '../stages.ts';

/** What a tenant's run asks for at its widest moment. */
export type Footprint = Resources;

/** What a night may run at a time, and why not more. */
export interface FanOut {
  readonly maxConcurrency: number;
  /** `setting`, or the queue that fills first, as `batch/spot`. */
  readonly limitedBy: string;
  /** Runs that fit each queue at a time, were they all its own. */
  readonly fits: Readonly<Record<string, number>>;
  /** Tenants with a stage larger than their whole queue: it can never be placed. */
  readonly tooLarge: readonly string[];
}

/** What is needed of a tenant. */
type Asking = Pick<Tenant, 'tenantId' | 'backend' | 'capacity' | 'resources'>;

/** Stages that run side by side; every other stage runs alone. */
const together: readonly StageName[] = ['deploy', 'cache'];

function requestOf(tenant: Asking, stage: StageName): Resources {
  const { cpu, memoryMiB } = tenant.resources[stage] ?? stages[stage].resources;
  // Batch places on whole vCPUs.
  return { cpu: tenant.backend === 'batch' ? Math.max(1, Math.ceil(cpu)) : cpu, memoryMiB };
}

function sum(parts: readonly Resources[]): Resources {
  return {
    cpu: parts.reduce((total, { cpu }) => total + cpu, 0),
    memoryMiB: parts.reduce((total, { memoryMiB }) => total + memoryMiB, 0),
  };
}

/** The largest request of a run at any moment, cpu and memory each: its overrides, else the catalogue's. */
export function footprintOf(tenant: Asking): Footprint {
  const alone = stageNames.filter((stage) => !together.includes(stage)).map((stage) => [stage]);
  const phases = [...alone, together].map((phase) => sum(phase.map((stage) => requestOf(tenant, stage))));
  return {
    cpu: Math.max(...phases.map(({ cpu }) => cpu)),
    memoryMiB: Math.max(...phases.map(({ memoryMiB }) => memoryMiB)),
  };
}

/** What a queue gives; undefined when that is not configured. */
function poolOf({ queueSize }: Pick<ServiceConfig, 'queueSize'>, queue: string): Resources | undefined {
  const vcpus = {
    'batch/spot': queueSize.batchSpotVcpus,
    'batch/on-demand': queueSize.batchOnDemandVcpus,
    'eks/spot': queueSize.eksSpotVcpus,
    'eks/on-demand': queueSize.eksOnDemandVcpus,
  }[queue];
  return vcpus ? { cpu: vcpus, memoryMiB: vcpus * queueSize.memoryPerVcpu } : undefined;
}

/** Where a tenant's jobs are asked for first. */
function queueOf({ backend, capacity }: Asking): string {
  return `${backend}/${capacity.spotAllowed ? 'spot' : 'on-demand'}`;
}

function isTooLarge(tenant: Asking, pool: Resources): boolean {
  return stageNames.some((stage) => {
    const { cpu, memoryMiB } = requestOf(tenant, stage);
    return cpu > pool.cpu || memoryMiB > pool.memoryMiB;
  });
}

/**
 * How many of a night's tenants to run at a time: as many as their queues can place, by the mean of their widest moments,
 * and never more than `training.maxConcurrency`. The night takes tenants as they come, so each queue's part of them is
 * taken for its part of those that run: the queue that would fill first decides. Too few would leave vCPUs unused; too
 * many only wait behind our own jobs, which counts as no placement failure.
 */
export function fanOutOf(
  due: readonly Asking[],
  config: Pick<ServiceConfig, 'queueSize'> & { readonly training: { readonly maxConcurrency: number } },
): FanOut {
  const fits: Record<string, number> = {};
  const tooLarge: string[] = [];
  let [maxConcurrency, limitedBy] = [config.training.maxConcurrency, 'setting'];
  for (const [queue, mine] of Map.groupBy(due, queueOf)) {
    const pool = poolOf(config, queue);
    if (!pool) continue;
    const placeable = mine.filter((tenant) => !isTooLarge(tenant, pool));
    tooLarge.push(...mine.filter((tenant) => isTooLarge(tenant, pool)).map(({ tenantId }) => tenantId));
    if (placeable.length === 0) continue;
    const all = sum(placeable.map(footprintOf));
    const fitting = Math.min(pool.cpu / all.cpu, pool.memoryMiB / all.memoryMiB) * placeable.length;
    fits[queue] = Math.floor(fitting);
    const share = mine.length / due.length;
    const most = Math.max(1, Math.floor(fitting / share));
    if (most < maxConcurrency) [maxConcurrency, limitedBy] = [most, queue];
  }
  return { maxConcurrency, limitedBy, fits, tooLarge };
}
