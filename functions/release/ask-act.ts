import { z } from 'zod';
import { awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { askAct } from '../../lib/operations/release/ask-act.ts';
import { actKinds, releaseEnvironments } from '../../lib/release/release.ts';

const input = z.object({
  releaseId: z.string().min(1),
  kind: z.enum(actKinds),
  environment: z.enum(releaseEnvironments),
  taskToken: z.string().min(1).max(2048),
});

const aws = [awsStores] as const;

/** Asks whoever acts for releases to do something; the state waits until that is answered. */
export function createAskAct(ports: Wired<typeof aws>) {
  return async (asked: z.output<typeof input>) => {
    const act = await askAct(ports, asked);
    ports.log.info('act asked for', { releaseId: asked.releaseId, act, kind: asked.kind });
    return { act };
  };
}

export const handler = defineHandler({ name: 'askAct', input, aws, create: createAskAct });
