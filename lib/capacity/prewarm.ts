import type { ServiceConfig } from '../config/service-config.ts';
import { type NightFacts, planNight } from './night-plan.ts';
import { type QueueName, queueOf, roomOf } from './queues.ts';
import { planOf } from './run-plan.ts';

/** What is to be there when a night begins, and for whom. */
export interface Prewarm {
  /** vCPU by queue; empty where nothing is to be there. */
  readonly vcpus: ReadonlyMap<QueueName, number>;
  /** Tenants that are late only because nothing is there when the night begins. */
  readonly saved: readonly string[];
}

/** What the runs that begin first ask for in their first stage, by queue, as far as it has room. */
function firstAsked(
  { due, durations, config }: NightFacts,
  order: readonly string[],
  queues: ReadonlySet<QueueName>,
): Map<QueueName, number> {
  const byId = new Map(due.map((tenant) => [tenant.tenantId, tenant]));
  const asked = new Map<QueueName, number>();
  for (const tenantId of order) {
    const tenant = byId.get(tenantId);
    if (!tenant || !queues.has(queueOf(tenant))) continue;
    const [first] = planOf(tenant, durations.of(tenantId), 0).phases;
    const queue = queueOf(tenant);
    asked.set(queue, (asked.get(queue) ?? 0) + (first?.cpu ?? 0));
  }
  const most = (queue: QueueName) => roomOf(config as Pick<ServiceConfig, 'queueSize'>, queue)?.cpu;
  return new Map([...asked].map(([queue, cpu]) => [queue, Math.ceil(Math.min(cpu, most(queue) ?? cpu))]));
}

/**
 * Whether instances have to be there before a night begins: only where tenants are on time with them and late when the first jobs wait so many
 * seconds for theirs. Idle instances cost more than a night that ends a little later.
 */
export function prewarmOf(facts: NightFacts, startSeconds: number): Prewarm {
  const warm = planNight(facts);
  const cold = planNight({ ...facts, now: facts.now + startSeconds * 1_000 });
  const lateAnyway = new Set(warm.forecast.late);
  const saved = cold.forecast.late.filter((tenantId) => !lateAnyway.has(tenantId));
  const queues = new Set(
    facts.due.filter(({ tenantId }) => saved.includes(tenantId)).map((tenant) => queueOf(tenant)),
  );
  return { saved, vcpus: firstAsked(facts, warm.order.slice(0, warm.maxConcurrency), queues) };
}
