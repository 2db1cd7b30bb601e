import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { Throttled } from '../../errors/run-errors.ts';
import { ConditionFailed, NotFound } from '../../errors/store-errors.ts';
import type { Ports } from '../../ports/ports.ts';
import { cleared, type ImageRecord } from '../../training/images.ts';

/** Times that a record is read again because somebody else wrote it. */
const rounds = 5;

/** The record of an image, named whole, or by the first digits of its digest, at least seven, with or without its name. */
function recordOf(records: readonly ImageRecord[], given: string): ImageRecord {
  const [, name, digits] = /^(?:([^@]+)@)?(?:sha256:)?([0-9a-f]{7,64})$/.exec(given) ?? [];
  const found = records.filter(({ image }) => {
    const [repository = '', digest = ''] = image.split('@');
    const isNamed = name === undefined || repository === name || repository.endsWith(`/${name}`);
    return isNamed && digits !== undefined && digest.startsWith(`sha256:${digits}`);
  });
  const [record] = found;
  if (!record)
    throw new NotFound(
      'IMAGE_NOT_FOUND',
      `No image "${given}" is on record; epsilon images list shows them.`,
    );
  if (found.length === 1) return record;
  const message = `"${given}" names ${found.length} images: ${found.map(({ image }) => image).join(', ')}.`;
  throw new EpsilonError('IMAGE_AMBIGUOUS', message, { exitCode: exitCodes.badInput });
}

/**
 * Takes back what is held against an image, so that runs begin with it again; of one that is not bad the failures so far are
 * dropped. `IMAGE_NOT_FOUND`, `IMAGE_AMBIGUOUS`.
 */
export async function clearImage(
  { imageRecords, clock }: Pick<Ports, 'imageRecords' | 'clock'>,
  { image: given }: { readonly image: string },
): Promise<ImageRecord> {
  for (let round = 1; ; round += 1) {
    const record = recordOf(await imageRecords.list(), given);
    const next = cleared(record, new Date(clock.now()).toISOString());
    try {
      await imageRecords.put(next, record.version);
      return { ...next, version: record.version + 1 };
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (round >= rounds) throw new Throttled(`Image ${record.image} keeps changing; try again.`);
    }
  }
}
