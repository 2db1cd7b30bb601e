import { z } from 'zod';
import { NightBelowTarget, NightIncomplete } from '../../lib/errors/run-errors.ts';
import { detailTypes, eventDetail } from '../../lib/events/detail.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { DueTenant } from '../../lib/training/due-tenants.ts';
import { judgeNight, type NightJudgement } from '../../lib/training/night.ts';

const input = z.object({
  nightName: z.string().min(1),
  logicalDate: z.string(),
  bucket: z.string(),
  /** Key of the tenant file of the first round: who was due before any redrive. */
  firstKey: z.string(),
  /** Redrive count with which the newest round began. */
  round: z.int().min(0),
  /** Redrive count now; larger than `round` when this state itself was redriven. */
  redriveCount: z.int().min(0),
});

function summaryOf(judgement: NightJudgement): string {
  const { succeeded, failed, skipped, busy } = judgement.counts;
  const rate = judgement.rate === null ? 'nothing to judge' : `${(judgement.rate * 100).toFixed(1)} %`;
  const names = judgement.failed.slice(0, 20).join(', ');
  const more = judgement.failed.length > 20 ? ` and ${judgement.failed.length - 20} more` : '';
  return `${succeeded} succeeded, ${failed} failed, ${skipped} skipped, ${busy} busy (${rate})${names ? `; failed: ${names}${more}` : ''}`;
}

/** Computes the night's success rate from the runs on record and fails the night at or below the target. */
export function createJudgeNight({ objects, runs, config, events, metrics, log }: Ports) {
  return async (event: z.output<typeof input>) => {
    const file = await objects.get(`s3://${event.bucket}/${event.firstKey}`);
    const tenants = (JSON.parse(new TextDecoder().decode(file)) as DueTenant[]).map(
      ({ tenantId }) => tenantId,
    );
    const judgement = judgeNight(
      tenants,
      await runs.listRuns({ logicalDate: event.logicalDate }),
      config.training.successTarget,
    );
    const summary = summaryOf(judgement);
    if (judgement.failed.length > 0 && event.redriveCount > event.round) {
      throw new NightIncomplete(`This redrive has not tried the failed tenants yet: ${summary}`, {
        ...judgement.counts,
      });
    }
    for (const [outcome, count] of Object.entries(judgement.counts))
      metrics.count('NightTenants', count, { outcome });
    log.info('night judged', { logicalDate: event.logicalDate, ...judgement.counts, met: judgement.met });
    const night = { tenantId: '*', runId: event.nightName, logicalDate: event.logicalDate, traceId: '' };
    await events.publish([
      {
        source: 'epsilon.training',
        detailType: detailTypes.nightJudged,
        detail: eventDetail(night, { ...judgement }),
      },
    ]);
    if (!judgement.met) {
      throw new NightBelowTarget(
        `The night is not above ${config.training.successTarget * 100} %: ${summary}`,
        { ...judgement.counts },
      );
    }
    return {
      logicalDate: event.logicalDate,
      ...judgement.counts,
      rate: judgement.rate,
      failed: judgement.failed.slice(0, 100),
    };
  };
}

export const handler = defineHandler({ name: 'judgeNight', input, create: createJudgeNight });
