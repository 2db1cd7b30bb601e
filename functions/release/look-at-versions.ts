import { z } from 'zod';
import { awsStores, awsVersions, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { lookAtVersions } from '../../lib/operations/release/look-at-versions.ts';

const input = z.object({ releaseId: z.string().min(1) });

const aws = [awsStores, awsVersions] as const;

/** Says which machines a deploy is moving to a new version, and whether the deploy is over. */
export function createLookAtVersions(ports: Wired<typeof aws>) {
  return async ({ releaseId }: z.output<typeof input>) => lookAtVersions(ports, releaseId);
}

export const handler = defineHandler({ name: 'lookAtVersions', input, aws, create: createLookAtVersions });
