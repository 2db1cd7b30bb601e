import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { JobContext } from './context.ts';

/** What a stage has to put aside and read again: blocks of bytes, in memory up to a budget, then as objects. */
export class Spool {
  readonly #context: JobContext;
  readonly #name: string;
  readonly #budget: number;
  readonly #held: (Uint8Array | undefined)[] = [];
  #bytes = 0;

  /** `budget`: bytes that stay in memory. Objects go below the attempt's own prefix. */
  constructor(context: JobContext, name: string, budget: number) {
    this.#context = context;
    this.#name = name;
    this.#budget = budget;
  }

  get blocks(): number {
    return this.#held.length;
  }

  #uri(block: number): string {
    return `${this.#context.output}spool/${this.#name}-${String(block).padStart(6, '0')}`;
  }

  async add(block: Uint8Array): Promise<void> {
    const stays = this.#bytes + block.byteLength <= this.#budget;
    if (stays) this.#bytes += block.byteLength;
    else await this.#context.objects.put(this.#uri(this.#held.length), block);
    this.#held.push(stays ? block : undefined);
  }

  async read(block: number): Promise<Uint8Array> {
    if (block < 0 || block >= this.#held.length)
      throw new EpsilonError('SPOOL_BLOCK', `There is no block ${block} of ${this.#name}.`);
    return this.#held[block] ?? (await this.#context.objects.get(this.#uri(block)));
  }

  async *all(): AsyncGenerator<Uint8Array> {
    for (let block = 0; block < this.#held.length; block += 1) yield await this.read(block);
  }

  /** Removes the objects; what cannot be removed stays below the attempt's prefix and goes with it. */
  async drop(): Promise<void> {
    for (const [block, held] of this.#held.entries())
      if (!held) await this.#context.objects.delete(this.#uri(block)).catch(() => {});
    this.#held.length = 0;
  }
}
