import { z } from 'zod';
import { awsRetirement, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { pruneRecords } from '../../lib/operations/backup/prune-records.ts';

/** Nothing of the machine's input is used. */
const input = z.object({});

const aws = [awsStores, awsRetirement] as const;

/** Milliseconds that what was begun is given to end in. */
const reserveMs = 60_000;

/** Takes records off whose time is over, and retires what they named. */
export function createPruneRecords(ports: Wired<typeof aws>) {
  return async (_: z.output<typeof input>, { remainingMs }: Pick<Invocation, 'remainingMs'>) =>
    pruneRecords(ports, () => remainingMs() > reserveMs);
}

export const handler = defineHandler({ name: 'pruneRecords', input, aws, create: createPruneRecords });
