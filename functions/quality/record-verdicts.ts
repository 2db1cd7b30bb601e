import { z } from 'zod';
import { detailTypes, eventDetail } from '../../lib/event-schemas/detail.ts';
import { awsEvents, awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { rememberDataset } from '../../lib/operations/quality/remember-dataset.ts';
import { readShardFile, type VerdictEntry } from '../../lib/operations/quality/shard-files.ts';
import { shardSchema } from '../../lib/quality/check-input.ts';
import { nightTraceId } from '../../lib/training/nights/night-input.ts';

const input = z.object({
  shard: shardSchema,
  /** No gate is closed. */
  hold: z.boolean(),
  execution: z.object({ id: z.string().min(1), name: z.string().min(1) }),
});

type Event = z.output<typeof input>;

const aws = [awsStores, awsObjects, awsEvents] as const;

/** Puts a shard's verdicts on record, with what was learnt and the history, and announces gates that opened or closed. */
export function createRecordVerdicts(ports: Wired<typeof aws>) {
  const { verdicts, events, metrics } = ports;

  /** Whether the verdict is on record now: one that was checked later is not replaced. */
  async function record({ verdict, learnt, dataset }: VerdictEntry): Promise<boolean> {
    if (!(await verdicts.record(verdict))) return false;
    if (dataset) await rememberDataset(ports, dataset);
    if (learnt) {
      const { tenantId, checkedAt, findings } = verdict;
      const { profile, baseline, expected, excluded } = learnt;
      await verdicts.append({ tenantId, checkedAt, verdict: verdict.verdict, findings, profile, expected });
      await verdicts.remember({
        tenantId,
        checkedAt,
        profile,
        baseline,
        ...(excluded === undefined ? {} : { excluded }),
      });
    }
    return true;
  }

  async function announce(turned: readonly VerdictEntry[], { execution }: Event): Promise<void> {
    if (turned.length === 0) return;
    await events.publish(
      turned.map(({ verdict: { tenantId, verdict, findings, checkedAt } }) => ({
        source: 'epsilon.quality' as const,
        detailType: detailTypes.qualityVerdictChanged,
        detail: eventDetail(
          {
            tenantId,
            runId: execution.name,
            logicalDate: checkedAt.slice(0, 10),
            traceId: nightTraceId(execution.id),
          },
          { verdict, findings: findings.map(({ code }) => code) },
        ),
      })),
    );
  }

  return async (event: Event) => {
    const turned: VerdictEntry[] = [];
    let recorded = 0;
    for (const entry of await readShardFile(ports, event.shard, 'verdicts')) {
      if (event.hold && entry.turns === 'closed') continue;
      if (!(await record(entry))) continue;
      recorded += 1;
      if (entry.turns !== 'neither') turned.push(entry);
    }
    await announce(turned, event);
    metrics.count('QualityGatesClosed', turned.filter(({ turns }) => turns === 'closed').length);
    return { recorded, turned: turned.length };
  };
}

export const handler = defineHandler({
  name: 'recordVerdicts',
  input,
  aws,
  create: createRecordVerdicts,
});
