import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { EventRecord, ExecutionRecord } from '../model/records.ts';

/** An execution that is over, with its history. */
export interface PackedExecution {
  readonly record: ExecutionRecord;
  readonly events: readonly EventRecord[];
}

/** Executions of one block: their JSON texts resemble each other, and take a twentieth of their length together. */
const blockSize = 256;

/**
 * Many executions that are over, in little memory: blocks of their JSON, compressed. Reading neighbours in turn opens each
 * block once. What is taken out leaves its place in its block.
 */
export class PackedExecutions {
  readonly #blocks: Buffer[] = [];
  /** Key to block and place in it, as one number. */
  readonly #places = new Map<number, number>();
  #texts: string[] = [];
  #opened: { readonly block: number; readonly texts: readonly string[] } | undefined;

  add(execution: PackedExecution): void {
    this.#places.set(execution.record.key, this.#blocks.length * blockSize + this.#texts.length);
    this.#texts.push(JSON.stringify(execution));
    if (this.#texts.length < blockSize) return;
    this.#blocks.push(deflateRawSync(JSON.stringify(this.#texts), { level: 1 }));
    this.#texts = [];
  }

  has(key: number): boolean {
    return this.#places.has(key);
  }

  get(key: number): PackedExecution | undefined {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    const text = this.#textsOf(Math.floor(place / blockSize))[place % blockSize];
    return text === undefined ? undefined : (JSON.parse(text) as PackedExecution);
  }

  #textsOf(block: number): readonly string[] {
    const packed = this.#blocks[block];
    if (!packed) return this.#texts;
    if (this.#opened?.block !== block)
      this.#opened = { block, texts: JSON.parse(inflateRawSync(packed).toString('utf8')) as string[] };
    return this.#opened.texts;
  }

  /** Takes an execution out, to go on. */
  take(key: number): PackedExecution | undefined {
    const found = this.get(key);
    this.#places.delete(key);
    return found;
  }
}
