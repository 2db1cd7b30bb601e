import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { SkipGramOptions, SkipGramShape } from '../../lib/training/models/vectors/skip-gram.ts';
import type { ChunkPlace } from '../../lib/training/models/vectors/skip-gram-chunk.ts';
import { makeKernel, type TrainingMemory } from '../../lib/training/models/vectors/skip-gram-kernel.ts';
import type { SkipGramLayout } from '../../lib/training/models/vectors/skip-gram-memory.ts';
import { type ThreadShare, trainShare } from '../../lib/training/models/vectors/skip-gram-steps.ts';

/** What each thread is given. All of it can be copied to another thread; the memory is shared. */
export interface ThreadOrders {
  readonly memory: TrainingMemory;
  readonly layout: SkipGramLayout;
  readonly shape: SkipGramShape;
  readonly options: SkipGramOptions;
  readonly threads: number;
}

/** Words of the control block. */
const word = { turn: 0, arrived: 1, meeting: 2, failed: 3, stop: 4, epoch: 5, at: 6, rate: 7 } as const;

/** Looks before a thread goes to sleep. */
const looks = 2_000;

/** Milliseconds of one sleep: a thread that failed is noticed after it at the latest. */
const sleep = 1_000;

/** How the threads of a training agree: a block of words that all of them see. */
export class ThreadControl {
  readonly #words: Int32Array;
  readonly #rate: Float32Array;
  readonly #threads: number;

  constructor({ memory, layout, threads }: ThreadOrders) {
    this.#words = new Int32Array(memory.buffer, layout.control, 16);
    this.#rate = new Float32Array(memory.buffer, layout.control, 16);
    this.#threads = threads;
  }

  /** Sleeps until a word is no longer what it was. */
  #await(index: number, value: number): void {
    for (let look = 0; look < looks; look += 1) if (Atomics.load(this.#words, index) !== value) return;
    while (Atomics.load(this.#words, index) === value) {
      if (Atomics.load(this.#words, word.failed) !== 0)
        throw new EpsilonError('TRAINING_THREAD', 'A thread of the training failed.', {
          exitCode: exitCodes.backend,
        });
      Atomics.wait(this.#words, index, value, sleep);
    }
  }

  #wake(index: number): void {
    Atomics.add(this.#words, index, 1);
    Atomics.notify(this.#words, index);
  }

  /** Comes back when all threads are here. */
  meet(): void {
    if (this.#threads === 1) return;
    const meeting = Atomics.load(this.#words, word.meeting);
    if (Atomics.add(this.#words, word.arrived, 1) + 1 < this.#threads) {
      this.#await(word.meeting, meeting);
      return;
    }
    Atomics.store(this.#words, word.arrived, 0);
    this.#wake(word.meeting);
  }

  /** Lets the other threads begin a chunk. */
  begin({ epoch, at }: ChunkPlace, rate: number): void {
    this.#words[word.epoch] = epoch;
    this.#words[word.at] = at;
    this.#rate[word.rate] = rate;
    this.#wake(word.turn);
  }

  /** Waits for a chunk; undefined when there will be none. `turns`: chunks this thread has seen. */
  next(turns: number): { readonly place: ChunkPlace; readonly rate: number } | undefined {
    this.#await(word.turn, turns);
    if (Atomics.load(this.#words, word.stop) !== 0) return undefined;
    const place = { epoch: this.#words[word.epoch] as number, at: this.#words[word.at] as number };
    return { place, rate: this.#rate[word.rate] as number };
  }

  stop(): void {
    Atomics.store(this.#words, word.stop, 1);
    this.#wake(word.turn);
  }

  fail(): void {
    Atomics.store(this.#words, word.failed, 1);
    Atomics.notify(this.#words, word.meeting);
    Atomics.notify(this.#words, word.turn);
  }
}

/** What thread number `thread` needs for its share of each chunk. */
export function shareOf(orders: ThreadOrders, control: ThreadControl, thread: number): ThreadShare {
  const { memory, layout, shape, options, threads } = orders;
  const kernel = makeKernel(memory, layout, options.negatives);
  return {
    buffer: memory.buffer,
    layout,
    shape,
    options,
    kernel,
    thread,
    threads,
    meet: () => control.meet(),
  };
}

/** The threads of a training; the thread that calls is one of them. */
export interface TrainingThreads {
  /** Trains a chunk that is planned. */
  train(place: ChunkPlace, rate: number): void;
  close(): Promise<void>;
}

/** Starts the other threads and waits until all of them are ready. */
export async function startThreads(orders: ThreadOrders): Promise<TrainingThreads> {
  const control = new ThreadControl(orders);
  const own = shareOf(orders, control, 0);
  const file = new URL('./train-thread.ts', import.meta.url);
  const workers = Array.from(
    { length: orders.threads - 1 },
    (_, index) => new Worker(file, { workerData: { orders, thread: index + 1 } }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  return {
    train: (place, rate) => {
      if (workers.length > 0) control.begin(place, rate);
      trainShare(own, place, rate);
    },
    close: async () => {
      control.stop();
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
