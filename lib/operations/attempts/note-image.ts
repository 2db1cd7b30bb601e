import { ConditionFailed } from '../../errors/store-errors.ts';
import type { Ports } from '../../ports/ports.ts';
import { type ImageRecord, withFailure, withStart } from '../../training/images.ts';
import type { Attempt } from '../../training/run.ts';

type Needed = Pick<Ports, 'imageRecords' | 'clock' | 'log' | 'metrics'>;

/** Times that a record is read again because somebody else wrote it; each such write is one tenant or one start further. */
const rounds = 8;

/** Milliseconds in which a process writes down no second start of the same image. */
const startStepMs = 60_000;

/** Starts that this process has written down of late, by image: most starts cost no call. */
const writtenStarts = new WeakMap<Ports['imageRecords'], Map<string, number>>();

type Next = (record: ImageRecord | undefined) => ImageRecord | undefined;

/** Writes what follows from the record as it is; gives the record that this call wrote, if it wrote one. */
async function change(
  { imageRecords }: Pick<Needed, 'imageRecords'>,
  image: string,
  next: Next,
): Promise<{ readonly before: ImageRecord | undefined; readonly after: ImageRecord } | undefined> {
  for (let round = 1; ; round += 1) {
    const [before] = await imageRecords.find([image]);
    const after = next(before);
    if (!after) return undefined;
    try {
      await imageRecords.put(after, before?.version ?? 0);
      return { before, after };
    } catch (error) {
      if (!(error instanceof ConditionFailed) || round >= rounds) throw error;
    }
  }
}

async function noteFailure(ports: Needed, attempt: Attempt, image: string): Promise<void> {
  const { tenantId, runId, intentAt, submittedAt = intentAt, cause = '' } = attempt;
  const at = new Date(ports.clock.now()).toISOString();
  const failure = { tenantId, runId, submittedAt, at, why: cause };
  const written = await change(ports, image, (record) => withFailure(record, image, failure));
  if (written?.after.badSince === undefined) return;
  ports.metrics.count('ImagesMarkedBad', 1);
  const tenants = written.after.failures.map((one) => one.tenantId);
  ports.log.error('image marked as bad: no run begins with it', { image, tenants, why: cause });
}

async function noteStart(ports: Needed, image: string, startedAt: string): Promise<void> {
  const starts = writtenStarts.get(ports.imageRecords) ?? new Map<string, number>();
  writtenStarts.set(ports.imageRecords, starts);
  const at = Date.parse(startedAt);
  if (at - (starts.get(image) ?? Number.NEGATIVE_INFINITY) < startStepMs) return;
  const written = await change(ports, image, (record) => withStart(record, image, startedAt));
  starts.set(image, at);
  if (written?.before?.badSince !== undefined && written.after.badSince === undefined)
    ports.log.warn('image is not bad any more: a job was started by it', { image });
}

/** When an attempt's job is known to have been started; a job that was taken away may never have been. */
function startOf({ startedAt, status, exitCode, finishedAt, error }: Attempt): string | undefined {
  if (startedAt !== undefined || error === 'JobCannotStart') return startedAt;
  return status === 'succeeded' || exitCode !== undefined ? finishedAt : undefined;
}

/**
 * Notes of an attempt's image that a job was started by it, or could not be. Whatever goes wrong here is logged: an image that is
 * judged later is better than a stage that is not answered.
 */
export async function noteImage(ports: Needed, attempt: Attempt): Promise<void> {
  const { image } = attempt;
  if (image === undefined) return;
  try {
    const startedAt = startOf(attempt);
    if (attempt.error === 'JobCannotStart') await noteFailure(ports, attempt, image);
    else if (startedAt !== undefined) await noteStart(ports, image, startedAt);
  } catch (error) {
    ports.log.error('image not judged', { image, error: String(error) });
  }
}
