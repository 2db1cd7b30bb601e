import { z } from 'zod';
import { awsCallbacks, awsDatabases, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { wakeStep } from '../../lib/operations/backup/hold-step.ts';
import { required } from '../../lib/operations/backup/required.ts';
import { snapshotStep } from '../../lib/operations/backup/snapshot-steps.ts';

/** An event of RDS: only which snapshot it is about. What it says of it is not believed. */
const input = z.looseObject({ detail: z.looseObject({ SourceIdentifier: z.string().min(1) }) });

const aws = [awsStores, awsCallbacks, awsDatabases] as const;

/** Looks at what an event names, and answers who waits for it. An event that is lost changes nothing but the time of the next look. */
export function createWakeBackup(ports: Wired<typeof aws>) {
  return async ({ detail }: z.output<typeof input>) => {
    const { SourceIdentifier: id } = detail;
    const woken = await Promise.all(
      (['snapshot', 'copy'] as const).map((part) =>
        wakeStep(ports, snapshotStep(required(ports.databases), { part, id, tags: {} })),
      ),
    );
    return { woken: woken.filter((held) => held !== undefined).length };
  };
}

export const handler = defineHandler({ name: 'wakeBackup', input, aws, create: createWakeBackup });
