import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { EventRecord, ExecutionRecord } from '../model/records.ts';

/** An execution that is over, with its history. */
export interface PackedExecution {
  readonly record: ExecutionRecord;
  readonly events: readonly EventRecord[];
}

/** Executions of one block: their JSON resembles each other's, and takes a twentieth of its length together. */
const blockSize = 256;

/**
 * Many executions that are over, in little memory: blocks of their JSON, compressed. Reading neighbours in turn opens each
 * block once. What is taken out leaves its place in its block.
 */
export class PackedExecutions {
  readonly #blocks: Buffer[] = [];
  /** Key to block and place in it, as one number. */
  readonly #places = new Map<number, number>();
  /** The block that is not full yet. */
  #latest: PackedExecution[] = [];
  #opened: { readonly block: number; readonly executions: readonly PackedExecution[] } | undefined;

  add(execution: PackedExecution): void {
    this.#places.set(execution.record.key, this.#blocks.length * blockSize + this.#latest.length);
    this.#latest.push(execution);
    if (this.#latest.length < blockSize) return;
    // A copy of its own length: what the compressor gives may be a piece of a larger buffer.
    this.#blocks.push(Buffer.from(deflateRawSync(JSON.stringify(this.#latest), { level: 1 })));
    this.#latest = [];
  }

  get(key: number): PackedExecution | undefined {
    const place = this.#places.get(key);
    return place === undefined
      ? undefined
      : this.#executionsOf(Math.floor(place / blockSize))[place % blockSize];
  }

  #executionsOf(block: number): readonly PackedExecution[] {
    const packed = this.#blocks[block];
    if (!packed) return this.#latest;
    if (this.#opened?.block !== block) {
      const executions = JSON.parse(inflateRawSync(packed).toString('utf8')) as PackedExecution[];
      this.#opened = { block, executions };
    }
    return this.#opened.executions;
  }

  /** Takes an execution out, to go on. */
  take(key: number): PackedExecution | undefined {
    const found = this.get(key);
    this.#places.delete(key);
    return found;
  }
}
