import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { Clock, Timer } from '../../lib/ports/clock.ts';
import type { OutsideConditions } from '../host/outside.ts';
import { freeBytes } from '../state/usage.ts';

/** Milliseconds between looks at the room that jobs have. */
const roomPoll = 2_000;

/** Bytes that must be free for a job to be started: a small tenant's training data, model and index. */
const leastRoom = 16 * 1_048_576;

/** Asks whether a folder's disk has room for jobs, and notes it among the conditions outside. */
export function diskRoom(path: string, outside: OutsideConditions): () => boolean {
  return () => {
    const free = freeBytes(path);
    if (free >= leastRoom) {
      outside.over(path);
      return true;
    }
    const [mebibytes, least] = [free, leastRoom].map((bytes) => Math.floor(bytes / 1_048_576));
    outside.met(
      path,
      new EpsilonError(
        'DISK_FULL',
        `The disk of ${path} is full: ${mebibytes} MiB are free, and jobs are started from ${least} MiB on.`,
      ),
    );
    return false;
  };
}

/** What a watch is made of. */
export interface RoomWatchOptions {
  readonly clock: Clock;
  /** Whether there is room; always where it is absent. */
  readonly room?: (() => boolean) | undefined;
  /** Called after each pause. */
  readonly again: () => void;
}

/** Looks at the room while there are jobs: those that run may fill the disk, those that wait are started when it has room. */
export class RoomWatch {
  readonly #options: RoomWatchOptions;
  #next: Timer | undefined;

  constructor(options: RoomWatchOptions) {
    this.#options = options;
  }

  /** Whether there is room now; with `more`, somebody will want to know again. */
  look({ more }: { readonly more: boolean }): boolean {
    const { room, clock, again } = this.#options;
    if (!room) return true;
    if (more) {
      this.#next ??= clock.setTimer(roomPoll, () => {
        this.#next = undefined;
        again();
      });
    }
    return room();
  }

  close(): void {
    this.#next?.cancel();
  }
}
