import { z } from 'zod';
import {
  awsObjects,
  awsReplicas,
  awsRetirement,
  awsStores,
  type Wired,
} from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { removeRetired } from '../../lib/operations/backup/remove-retired.ts';

/** Nothing of the machine's input is used. */
const input = z.object({});

const aws = [awsStores, awsObjects, awsReplicas, awsRetirement] as const;

/** Milliseconds that what was begun is given to end in. */
const reserveMs = 60_000;

/** Removes the objects of outputs that no moment which can be restored names. */
export function createRemoveRetired(ports: Wired<typeof aws>) {
  return async (_: z.output<typeof input>, { remainingMs }: Pick<Invocation, 'remainingMs'>) =>
    removeRetired(ports, () => remainingMs() > reserveMs);
}

export const handler = defineHandler({ name: 'removeRetired', input, aws, create: createRemoveRetired });
