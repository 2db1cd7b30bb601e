import { z } from 'zod';
import { awsNotifier, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import { isSystemic } from '../../lib/quality/judge.ts';

const input = z.object({
  execution: z.string().min(1),
  /** `close`: an operator has decided that the findings are the tenants'. */
  incident: z.enum(['hold', 'close']),
  shards: z.array(
    z.object({
      judged: z.int().min(0),
      closing: z.int().min(0),
      /** Of the day before, in the first checks of a day. */
      warned: z
        .object({ day: z.iso.date(), tenants: z.int().min(0), named: z.array(z.string()).max(20) })
        .optional(),
    }),
  ),
});

/** An incident that lasts is told once a day. */
const incidents = 'data-quality-incident';

/** Warnings of a day are told once. */
const digests = 'data-quality-digest';

const aws = [awsStores, awsNotifier] as const;

/** Tells an incident of the platform from faults of single tenants: then people are told once, and no gate closes until they decide. */
export function createWeighQualityCheck({ claims, notifier, clock, metrics, log }: Wired<typeof aws>) {
  async function tell(execution: string, judged: number, closing: number): Promise<void> {
    const now = isoNow(clock);
    const scheduledTime = `${now.slice(0, 10)}T00:00:00.000Z`;
    const { claimed } = await claims.claim({ machine: incidents, scheduledTime, holder: execution, now });
    if (!claimed) return;
    await notifier.notify({
      subject: `Data of ${closing} tenants turned critical in one check`,
      body: `${closing} of ${judged} gates would close by check ${execution}. That many at once is taken for a fault of the platform, and no gate was closed. Findings: "epsilon quality list". To close the gates: epsilon run data-quality-check --input '{"incident":"close"}'.`,
      severity: 'critical',
    });
  }

  /** Warnings close no gate: people hear of a day's once, on the next. */
  async function tellWarnings(execution: string, shards: z.output<typeof input>['shards']): Promise<void> {
    const told = shards.flatMap(({ warned }) => warned ?? []);
    const tenants = told.reduce((sum, each) => sum + each.tenants, 0);
    const [{ day } = { day: '' }] = told;
    if (tenants === 0) return;
    const scheduledTime = `${day}T00:00:00.000Z`;
    const { claimed } = await claims.claim({
      machine: digests,
      scheduledTime,
      holder: execution,
      now: isoNow(clock),
    });
    if (!claimed) return;
    const named = told.flatMap((each) => each.named);
    const more = tenants - named.length;
    await notifier.notify({
      subject: `Data of ${tenants} tenants was unusual on ${day}`,
      body: `No gate is closed by this. ${named.join('. ')}${more > 0 ? `. And ${more} more tenants` : ''}. Look at one: "epsilon quality show <tenant>".`,
      severity: 'info',
    });
  }

  return async ({ execution, incident, shards }: z.output<typeof input>) => {
    const judged = shards.reduce((sum, each) => sum + each.judged, 0);
    const closing = shards.reduce((sum, each) => sum + each.closing, 0);
    const hold = incident === 'hold' && isSystemic({ judged, closing });
    metrics.count('QualityJudged', judged);
    metrics.count('QualityGatesClosing', closing);
    if (hold) {
      log.warn('an incident of the platform: no gate is closed', { execution, judged, closing });
      await tell(execution, judged, closing);
    }
    await tellWarnings(execution, shards);
    return { judged, closing, hold };
  };
}

export const handler = defineHandler({
  name: 'weighQualityCheck',
  input,
  aws,
  create: createWeighQualityCheck,
});
