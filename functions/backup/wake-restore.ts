import { z } from 'zod';
import { awsCallbacks, awsDatabases, awsStores, awsTables, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { wakeStep } from '../../lib/operations/backup/hold-step.ts';
import { required } from '../../lib/operations/backup/required.ts';
import { restoreStep } from '../../lib/operations/backup/restore-steps.ts';

/** An event of RDS: only which database it is about. What it says of it is not believed. */
const input = z.looseObject({ detail: z.looseObject({ SourceIdentifier: z.string().min(1) }) });

const aws = [awsStores, awsCallbacks, awsDatabases, awsTables] as const;

/** Restores that are looked back at. */
const restoresBack = 50;

/** Looks at the restored database that an event names, and answers who waits for it. A lost event changes nothing but the time of the next look. */
export function createWakeRestore(ports: Wired<typeof aws>) {
  return async ({ detail: { SourceIdentifier: id } }: z.output<typeof input>) => {
    const restores = await ports.recoveryRecords.newest('restore', restoresBack);
    const record = restores.find(({ target, state }) => target.database === id && state === 'restoring');
    if (!record) return { woken: 0 };
    const both = { databases: required(ports.databases), tables: required(ports.tables) };
    const { environment } = ports.config;
    const held = await wakeStep(ports, restoreStep({ ...both, environment }, 'database', record));
    return { woken: held === undefined ? 0 : 1 };
  };
}

export const handler = defineHandler({ name: 'wakeRestore', input, aws, create: createWakeRestore });
