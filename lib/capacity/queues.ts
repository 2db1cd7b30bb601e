import type { ServiceConfig } from '../config/service-config.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { Capacity } from '../training/run.ts';
import type { Resources } from '../training/stages.ts';

/** What is needed of a tenant to know what its run asks for, and where. */
export type Asking = Pick<Tenant, 'tenantId' | 'backend' | 'capacity' | 'resources'>;

/** One backend's spot or on-demand capacity, as `batch/spot`. */
export type QueueName = `${Tenant['backend']}/${Capacity}`;

/** The settings that say what queues hold. */
export type QueueSettings = Pick<ServiceConfig, 'queueSize'>;

/** Where a tenant's jobs are asked for first. */
export function queueOf({ backend, capacity }: Pick<Asking, 'backend' | 'capacity'>): QueueName {
  return `${backend}/${capacity.spotAllowed ? 'spot' : 'on-demand'}`;
}

/** vCPU that a queue may use; 0 when that is not configured. */
export function vcpusOf({ queueSize }: QueueSettings, queue: QueueName): number {
  const known: Readonly<Partial<Record<QueueName, number>>> = {
    'batch/spot': queueSize.batchSpotVcpus,
    'batch/on-demand': queueSize.batchOnDemandVcpus,
    'eks/spot': queueSize.eksSpotVcpus,
    'eks/on-demand': queueSize.eksOnDemandVcpus,
  };
  return known[queue] ?? 0;
}

/** vCPU and memory that a queue gives; undefined when its size is not configured. */
export function roomOf(config: QueueSettings, queue: QueueName): Resources | undefined {
  const vcpus = vcpusOf(config, queue);
  return vcpus ? { cpu: vcpus, memoryMiB: vcpus * config.queueSize.memoryPerVcpu } : undefined;
}
