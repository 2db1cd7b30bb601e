import { z } from 'zod';
import { awsVersions, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { returnVersions } from '../../lib/operations/release/look-at-versions.ts';

const input = z.object({
  /** What was seen while the aliases were split. */
  moves: z.array(
    z.object({ machine: z.string().min(1), before: z.string().min(1), after: z.string().min(1) }),
  ),
});

const aws = [awsVersions] as const;

/** Gives all new executions to the versions of before. */
export function createReturnVersions(ports: Wired<typeof aws>) {
  return async ({ moves }: z.output<typeof input>) => {
    const returned = await returnVersions(ports, moves);
    ports.log.warn('versions returned', { returned });
    return { returned };
  };
}

export const handler = defineHandler({ name: 'returnVersions', input, aws, create: createReturnVersions });
