import { z } from 'zod';
import { AlreadyClaimed } from '../../lib/errors/run-errors.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { dueTenants } from '../../lib/training/due-tenants.ts';
import { logicalDateOf } from '../../lib/training/logical-date.ts';

const input = z.object({
  scheduledTime: z.string(),
  /** ARN of the night's execution: the holder of the claim. */
  nightArn: z.string().min(1),
  nightName: z.string().min(1),
  machine: z.string().min(1),
  redriveCount: z.int().min(0),
});

/** Claims the scheduled time for this execution and writes the tenants that are due to the object store, one JSON array. */
export function createLoadTenants({ claims, tenants, runs, objects, clock, config, log }: Ports) {
  return async (event: z.output<typeof input>) => {
    const logicalDate = logicalDateOf(event.scheduledTime);
    const scheduledTime = new Date(event.scheduledTime).toISOString();
    const now = new Date(clock.now()).toISOString();
    const { claimed, holder } = await claims.claim({
      machine: event.machine,
      scheduledTime,
      holder: event.nightArn,
      now,
    });
    if (!claimed) throw new AlreadyClaimed(event.machine, scheduledTime, holder);

    const due = dueTenants(await tenants.list(), await runs.listRuns({ logicalDate }), logicalDate);
    const key = `nights/${logicalDate}/${event.nightName}/tenants-${event.redriveCount}.json`;
    await objects.put(`s3://${config.dataBucket}/${key}`, JSON.stringify(due), {
      contentType: 'application/json',
    });
    log.info('night loaded', { logicalDate, tenants: due.length, round: event.redriveCount });
    return {
      logicalDate,
      round: event.redriveCount,
      tenants: due.length,
      bucket: config.dataBucket,
      key,
      maxConcurrency: config.training.maxConcurrency,
      // Operators read execution names: only a redriven night needs a suffix to be told from its first round.
      suffix: event.redriveCount === 0 ? '' : `-r${event.redriveCount}`,
    };
  };
}

export const handler = defineHandler({ name: 'loadTenants', input, create: createLoadTenants });
