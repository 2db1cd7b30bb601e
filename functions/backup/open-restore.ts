import { z } from 'zod';
import { restoreInputSchema } from '../../lib/backup/cloud/inputs.ts';
import { newest } from '../../lib/backup/points.ts';
import { awsDatabases, awsReplicas, awsStores, awsTables, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { openRestore } from '../../lib/operations/backup/open-restore.ts';
import { removeDrills } from '../../lib/operations/backup/remove-drills.ts';
import { executionSchema } from '../../lib/training/nights/night-input.ts';

const input = z.object({ input: restoreInputSchema, drill: z.boolean(), execution: executionSchema });

const aws = [awsStores, awsDatabases, awsTables, awsReplicas] as const;

/** Chooses the moment, refuses dangerous targets, and puts the restore on record; an approval is passed on. */
export function createOpenRestore(ports: Wired<typeof aws>) {
  return async ({ input: asked, drill, execution }: z.output<typeof input>) => {
    if (ports.config.recovery.mode === 'off')
      return { outcome: 'off', because: 'the settings say "recovery: { mode: off }"' };
    if (asked.approve !== undefined)
      return { outcome: 'approve', id: asked.id ?? '', approve: asked.approve };
    if (drill) await removeDrills(ports);
    const { to = newest, database, table } = asked;
    const request = { to, drill, execution: execution.id, database, table };
    const { id, point, target, deadline } = await openRestore(ports, request);
    return { outcome: 'open', id, point, target, deadline };
  };
}

export const handler = defineHandler({ name: 'openRestore', input, aws, create: createOpenRestore });
