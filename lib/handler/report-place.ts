import { z } from 'zod';
import { consumerKey } from '../backup/cloud/consumers.ts';
import { checkSchema } from '../errors/check-schema.ts';
import type { ConsumerReport } from '../ports/backup/consumers.ts';
import { isoNow } from '../ports/clock.ts';
import type { BasePorts, Ports } from '../ports/ports.ts';

const question = z.strictObject({ 'epsilon:report': z.strictObject({ epoch: z.int().min(0) }) });

/** Whether an event asks a function where it works (lib/aws/lambda/lambda-consumers.ts), which every one answers alike. */
export function isReportQuestion(event: unknown): boolean {
  return checkSchema(question, event).success;
}

/**
 * Says by which promotion a function works, after a write of its own into each store that it writes to: that it has the names is not
 * enough, it must have the rights.
 */
export async function reportPlace(
  name: string,
  {
    place,
    clock,
    ...ports
  }: BasePorts & { readonly [P in 'recoveryRecords' | 'objects']?: Ports[P] | undefined },
): Promise<ConsumerReport> {
  if (!place) return { wrote: [] };
  const { epoch, table, bucket } = place;
  const report = { kind: 'consumer', id: name, epoch, bucket, at: isoNow(clock) } as const;
  await ports.recoveryRecords?.put(report);
  await ports.objects?.put(`s3://${bucket}/${consumerKey(name)}`, JSON.stringify(report), {
    contentType: 'application/json',
  });
  return {
    epoch,
    wrote: [...(ports.recoveryRecords ? [table] : []), ...(ports.objects ? [bucket] : [])],
  };
}
