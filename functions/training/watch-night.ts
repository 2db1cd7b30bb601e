import { z } from 'zod';
import { awsNotifier, awsObjects, awsStores, awsWorkflows, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { watchNights } from '../../lib/operations/nights/watch-night.ts';

/** The schedule's event; nothing of it is used. */
const input = z.object({});

const aws = [awsStores, awsObjects, awsWorkflows, awsNotifier] as const;

/** Looks at the night that runs, lets more tenants run at a time where that keeps deadlines, and notifies of those that it cannot keep. */
export function createWatchNight(ports: Wired<typeof aws>) {
  return async (_: z.output<typeof input>) => ({ nights: await watchNights(ports) });
}

export const handler = defineHandler({ name: 'watchNight', input, aws, create: createWatchNight });
