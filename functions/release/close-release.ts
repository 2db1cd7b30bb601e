import { z } from 'zod';
import { awsNotifier, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { closeRelease } from '../../lib/operations/release/close-release.ts';

const input = z.object({
  releaseId: z.string().min(1),
  outcome: z.enum(['kept', 'rolledBack']),
  because: z.string().default(''),
});

const aws = [awsStores, awsNotifier] as const;

/** Puts on record how a release ended, lets the next one begin, and notifies people of one that was rolled back. */
export function createCloseRelease(ports: Wired<typeof aws>) {
  return async (ended: z.output<typeof input>) => {
    const { releaseId, outcome, because = '' } = await closeRelease(ports, ended);
    return { releaseId, outcome, because };
  };
}

export const handler = defineHandler({ name: 'closeRelease', input, aws, create: createCloseRelease });
