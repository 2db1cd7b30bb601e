import { largestDocument } from '../../documents/found.ts';
import { linesOf } from '../../documents/json-lines.ts';
import type { Passage } from '../../documents/passages.ts';
import { EpsilonError } from '../../errors/epsilon-error.ts';
import type { ObjectStore } from '../../ports/object-store.ts';

/** What passages are read from. */
export type Objects = Pick<ObjectStore, 'get' | 'head' | 'list' | 'stream'>;

async function* passagesIn(objects: Objects, uri: string): AsyncGenerator<Passage> {
  for await (const line of linesOf(objects.stream(uri))) {
    if (line === undefined)
      throw new EpsilonError(
        'DATA_PASSAGE_TOO_LARGE',
        `${uri} has a line of more than ${largestDocument} bytes.`,
      );
    if (line.length > 0) yield JSON.parse(line.toString()) as Passage;
  }
}

/** A file of passages below a prefix, with the number of its first one. */
export interface PassageFile {
  readonly name: string;
  readonly first: number;
}

/** Passages of prepared data, read one after the other; of those that were read it is known in which file they are. */
export class PassageFiles {
  readonly #objects: Objects;
  readonly #prefix: string;
  /** Files that were begun, each with the number of its first passage. */
  readonly #files: { readonly uri: string; readonly first: number }[];

  /** `known`: all files, where it is on record what they hold. */
  constructor(objects: Objects, prefix: string, known: readonly PassageFile[] = []) {
    this.#objects = objects;
    this.#prefix = prefix;
    this.#files = known.map(({ name, first }) => ({ uri: prefix + name, first }));
  }

  /** All passages, in order. */
  async *all(): AsyncGenerator<Passage> {
    this.#files.length = 0;
    let number = 0;
    for await (const { uri } of this.#objects.list(this.#prefix)) {
      if (!uri.endsWith('.jsonl')) continue;
      this.#files.push({ uri, first: number });
      for await (const passage of passagesIn(this.#objects, uri)) {
        yield passage;
        number += 1;
      }
    }
  }

  /** Passages by their numbers, of those that were read before or are on record; only their files are read. */
  async at(numbers: readonly number[]): Promise<ReadonlyMap<number, Passage>> {
    const found = new Map<number, Passage>();
    for (const [index, { uri, first }] of this.#files.entries()) {
      const next = this.#files[index + 1]?.first ?? Number.POSITIVE_INFINITY;
      const wanted = new Set(numbers.filter((number) => number >= first && number < next));
      if (wanted.size === 0) continue;
      let number = first;
      for await (const passage of passagesIn(this.#objects, uri)) {
        if (wanted.delete(number)) found.set(number, passage);
        if (wanted.size === 0) break;
        number += 1;
      }
    }
    return found;
  }

  /** Passages by their ids, read until all are found. */
  async of(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, Passage>> {
    const found = new Map<string, Passage>();
    for await (const passage of this.all()) {
      if (ids.has(passage.id)) found.set(passage.id, passage);
      if (found.size === ids.size) break;
    }
    return found;
  }
}
