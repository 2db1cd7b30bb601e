import { z } from 'zod';
import { AlreadyClaimed } from '../../lib/errors/run-errors.ts';
import { ConditionFailed } from '../../lib/errors/store-errors.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { dueTenants } from '../../lib/training/nights/due-tenants.ts';
import { fanOutOf } from '../../lib/training/nights/fan-out.ts';
import { dayBefore } from '../../lib/training/nights/logical-date.ts';
import {
  executionSchema,
  type Night,
  nightDate,
  nightInputSchema,
  nightSuffix,
  nightTraceId,
} from '../../lib/training/nights/night-input.ts';
import { isQuarantined, suspectStatuses, suspectsOf } from '../../lib/training/nights/quarantine.ts';

const input = z.object({ input: nightInputSchema, machine: z.string().min(1), execution: executionSchema });

type Event = z.output<typeof input>;

/** Tenants that failed night after night: the failures of the last night are few, so only theirs are looked into. */
async function quarantined(
  { runs, metrics }: Pick<Ports, 'runs' | 'metrics'>,
  date: string,
  tenants: number,
): Promise<Set<string>> {
  const logicalDate = dayBefore(date);
  const failed = await Promise.all(suspectStatuses.map((status) => runs.listRuns({ logicalDate, status })));
  const found = new Set<string>();
  for (const tenantId of suspectsOf(failed.flat(), tenants))
    if (isQuarantined(await runs.listRuns({ tenantId, limit: 50 }), date)) found.add(tenantId);
  if (found.size > 0) metrics.count('TenantsQuarantined', found.size);
  return found;
}

const aws = [awsStores, awsObjects] as const;

/** Claims the scheduled time for this execution and writes the tenants that are due to the object store, one JSON array. */
export function createLoadTenants(ports: Wired<typeof aws>) {
  const { claims, tenants, runs, objects, clock, config, log } = ports;

  /** Only deliveries of a schedule are deduplicated; an operator means it. */
  async function claim({ input: asked, machine, execution }: Event): Promise<void> {
    if (asked.trigger === 'manual' || asked.scheduledTime === undefined) return;
    const scheduledTime = new Date(asked.scheduledTime).toISOString();
    const now = isoNow(clock);
    const { claimed, holder } = await claims.claim({ machine, scheduledTime, holder: execution.id, now });
    if (!claimed) throw new AlreadyClaimed(machine, scheduledTime, holder);
  }

  /** The first round's file is never overwritten: it says whom the night is judged by. */
  async function writeFirst(uri: string, body: string): Promise<void> {
    try {
      await objects.put(uri, body, { contentType: 'application/json', ifAbsent: true });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }

  return async (event: Event): Promise<Night> => {
    const { execution } = event;
    const logicalDate = nightDate(event.input, clock.now());
    const traceId = nightTraceId(execution.id);
    noteTraceFields({ traceId, logicalDate });
    await claim(event);
    const all = await tenants.list();
    const last = await quarantined(ports, logicalDate, all.length);
    const due = dueTenants(all, await runs.listRuns({ logicalDate }), logicalDate, last);
    const wanted = new Set(due.map(({ tenantId }) => tenantId));
    const fanOut = fanOutOf(
      all.filter(({ tenantId }) => wanted.has(tenantId)),
      config,
    );
    const folder = `nights/${logicalDate}/${execution.name}`;
    const [firstKey, key] = [`${folder}/tenants.json`, `${folder}/tenants-${execution.redriveCount}.json`];
    await writeFirst(`s3://${config.dataBucket}/${firstKey}`, JSON.stringify(due));
    await objects.put(`s3://${config.dataBucket}/${key}`, JSON.stringify(due), {
      contentType: 'application/json',
    });
    log.info('night loaded', {
      logicalDate,
      tenants: due.length,
      round: execution.redriveCount,
      ...fanOut,
      quarantined: [...last],
    });
    const trigger = event.input.trigger ?? (event.input.scheduledTime === undefined ? 'manual' : 'schedule');
    return {
      logicalDate,
      trigger,
      traceId,
      round: execution.redriveCount,
      tenants: due.length,
      bucket: config.dataBucket,
      key,
      firstKey,
      maxConcurrency: fanOut.maxConcurrency,
      suffix: nightSuffix(trigger, execution.name, execution.redriveCount),
    };
  };
}

export const handler = defineHandler({
  name: 'loadTenants',
  input,
  aws,
  create: createLoadTenants,
});
