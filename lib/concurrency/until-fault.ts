import { inParallel } from './in-parallel.ts';

/**
 * Does the work for every item, at most `atOnce` side by side. After the first fault nothing new is begun, and it is thrown when
 * nothing is under way any more: whoever cleans up then is alone.
 */
export async function untilFault<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const faults: unknown[] = [];
  await inParallel(items, atOnce, async (item) => {
    if (faults.length > 0) return;
    await work(item).catch((error: unknown) => faults.push(error));
  });
  if (faults.length > 0) throw faults[0];
}
