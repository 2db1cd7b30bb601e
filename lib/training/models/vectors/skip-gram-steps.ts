import { bucketsOf, type SkipGramOptions, type SkipGramShape, seedOf } from './skip-gram.ts';
import type { ChunkPlace } from './skip-gram-chunk.ts';
import { type Kernel, type SkipGramLayout, tableSizeOf } from './skip-gram-memory.ts';

/** What one of the threads of a training needs to do its share of a chunk. */
export interface ThreadShare {
  readonly buffer: SharedArrayBuffer;
  readonly layout: SkipGramLayout;
  readonly shape: SkipGramShape;
  readonly options: Pick<SkipGramOptions, 'seed'>;
  readonly kernel: Kernel;
  readonly thread: number;
  readonly threads: number;
  /** Comes back when every thread has reached the same place. */
  readonly meet: () => void;
}

/**
 * Trains this thread's share of a chunk that is planned. In each step every partition of contexts meets one partition of
 * centres and no two of them the same: the threads never touch the same row, so their number does not change a bit.
 */
export function trainShare(share: ThreadShare, place: ChunkPlace, rate: number): void {
  const { buffer, layout, shape, options, kernel, thread, threads, meet } = share;
  const { partitions } = shape;
  const starts = new Uint32Array(buffer, layout.starts, bucketsOf(shape) + 1);
  const losses = new Float64Array(buffer, layout.losses, bucketsOf(shape));
  const tableSize = tableSizeOf(shape);
  for (let step = 0; step < partitions; step += 1) {
    for (let part = thread; part < partitions; part += threads) {
      const centres = (part + step) % partitions;
      const bucket = part * partitions + centres;
      const first = starts[bucket] as number;
      losses[bucket] = kernel({
        pairs: layout.pairs + first * 8,
        count: (starts[bucket + 1] as number) - first,
        rate,
        random: seedOf(options.seed, place.epoch, place.at, 4, bucket),
        table: layout.tables + centres * tableSize * 4,
        tableSize,
        scratch: layout.scratch + thread * layout.scratchBytes,
      });
    }
    meet();
  }
}

/** Summed loss of a chunk's buckets, always in the same order. */
export function lossOf({ buffer, layout, shape }: Pick<ThreadShare, 'buffer' | 'layout' | 'shape'>): number {
  return new Float64Array(buffer, layout.losses, bucketsOf(shape)).reduce((sum, loss) => sum + loss, 0);
}
