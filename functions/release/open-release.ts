import { z } from 'zod';
import { awsStores, awsWorkflows, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { openRelease } from '../../lib/operations/release/open-release.ts';
import { releaseInputSchema } from '../../lib/release/release-input.ts';

const input = z.object({
  input: releaseInputSchema,
  execution: z.object({ id: z.string().min(1), name: z.string().min(1) }),
});

const aws = [awsStores, awsWorkflows] as const;

/** Puts the release on record as the only one under way, with what it replaces. */
export function createOpenRelease(ports: Wired<typeof aws>) {
  return async ({ input: asked, execution }: z.output<typeof input>) => {
    const { commit, images, takesBack, canaryTenant } = asked;
    const { releaseId, replaces } = await openRelease(ports, {
      releaseId: execution.name,
      executionArn: execution.id,
      commit,
      images,
      takesBack,
    });
    return { releaseId, canaryTenant, takesBack: takesBack ?? '', replaces: replaces?.releaseId ?? '' };
  };
}

export const handler = defineHandler({ name: 'openRelease', input, aws, create: createOpenRelease });
