import { BadImage } from '../../errors/run-errors.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Run } from '../../training/run.ts';
import { type Refusing, refuseRun } from './refuse-run.ts';

/** Ends a run that has just begun with a bad image, as `refuseRun` does: `BadImage`, which no machine retries. */
export async function requireGoodImages(
  ports: Refusing & Pick<Ports, 'imageRecords'>,
  run: Run,
): Promise<void> {
  const records = await ports.imageRecords.find(Object.values(run.images));
  const bad = records.find(({ badSince }) => badSince !== undefined);
  if (bad) await refuseRun(ports, run, new BadImage(bad));
}
