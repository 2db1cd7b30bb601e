import { z } from 'zod';
import { NightBelowTarget, NightIncomplete } from '../../lib/errors/run-errors.ts';
import { detailTypes, eventDetail } from '../../lib/event-schemas/detail.ts';
import { awsEvents, awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { placeOfNight, traceparentOf } from '../../lib/tracing/ids.ts';
import { beginningOfNight } from '../../lib/tracing/night-span.ts';
import type { DueTenant } from '../../lib/training/nights/due-tenants.ts';
import { judgeNight, type NightJudgement } from '../../lib/training/nights/night.ts';
import { executionSchema, nightSchema } from '../../lib/training/nights/night-input.ts';

const input = z.object({ night: nightSchema, execution: executionSchema });

function summaryOf(judgement: NightJudgement): string {
  const { succeeded, failed, notStarted, skipped, busy } = judgement.counts;
  const rate = judgement.rate === null ? 'nothing to judge' : `${(judgement.rate * 100).toFixed(1)} %`;
  const counts = [
    `${succeeded} succeeded`,
    `${failed} failed`,
    ...(notStarted === 0 ? [] : [`${notStarted} not started (a fault of the platform)`]),
    `${skipped} skipped`,
    `${busy} busy`,
  ];
  const named = [namesOf('failed', judgement.failed), namesOf('not started', judgement.notStarted)].join('');
  const unjudged = namesOf('without a valid quality verdict', judgement.unjudged);
  const fault = judgement.checkFailed
    ? `${unjudged} (too many for a night: a fault of the platform)`
    : unjudged;
  return `${counts.join(', ')} (${rate})${named}${fault}`;
}

/** "; failed: a, b and 3 more", at most 20 names; nothing for none. */
function namesOf(what: string, tenantIds: readonly string[]): string {
  if (tenantIds.length === 0) return '';
  const more = tenantIds.length > 20 ? ` and ${tenantIds.length - 20} more` : '';
  return `; ${what}: ${tenantIds.slice(0, 20).join(', ')}${more}`;
}

const aws = [awsStores, awsObjects, awsEvents] as const;

/** Computes the night's success rate from the runs on record and fails the night at or below the target. */
export function createJudgeNight({ objects, runs, config, events, metrics, log }: Wired<typeof aws>) {
  return async ({ night, execution }: z.output<typeof input>) => {
    const file = await objects.get(`s3://${night.bucket}/${night.firstKey}`);
    const tenants = (JSON.parse(new TextDecoder().decode(file)) as DueTenant[]).map(
      ({ tenantId }) => tenantId,
    );
    const { logicalDate } = night;
    const all = await runs.listRuns({ logicalDate });
    const judgement = judgeNight(tenants, all, config.training.successTarget);
    const { counts, rate, met, failed, notStarted, unjudged, checkFailed } = judgement;
    const summary = summaryOf(judgement);
    const missed = failed.length + notStarted.length + (checkFailed ? unjudged.length : 0);
    if (missed > 0 && execution.redriveCount > night.round) {
      throw new NightIncomplete(`This redrive has not tried the failed tenants yet: ${summary}`, counts);
    }
    for (const [outcome, count] of Object.entries(counts)) metrics.count('NightTenants', count, { outcome });
    log.info('night judged', { logicalDate, ...counts, met });
    const traceparent = traceparentOf(placeOfNight(execution.id, execution.redriveCount));
    const about = { tenantId: '*', runId: execution.name, logicalDate, traceId: night.traceId, traceparent };
    const startedAt = beginningOfNight(execution.id, all);
    await events.publish([
      {
        source: 'epsilon.training',
        detailType: detailTypes.nightJudged,
        detail: eventDetail(about, {
          ...counts,
          rate,
          met,
          ...(startedAt === undefined ? {} : { startedAt }),
        }),
      },
    ]);
    if (checkFailed)
      throw new NightBelowTarget(`Not trained for want of a quality verdict: ${summary}`, counts);
    if (!met)
      throw new NightBelowTarget(`Not above ${config.training.successTarget * 100} %: ${summary}`, counts);
    return {
      logicalDate,
      ...counts,
      rate,
      failedTenants: failed.slice(0, 100),
      notStartedTenants: notStarted.slice(0, 100),
      unjudgedTenants: unjudged.slice(0, 100),
    };
  };
}

export const handler = defineHandler({
  name: 'judgeNight',
  input,
  aws,
  create: createJudgeNight,
});
