import type { LiveModel } from '../../training/models/model.ts';
import {
  checkDimensions,
  decodeFlatHeader,
  decodeRow,
  type FlatHeader,
  headerBytes,
  readFlatRows,
  scoreOf,
} from '../../training/models/vectors/flat-index.ts';
import { readRowIds } from '../../training/models/vectors/row-ids.ts';
import type { Objects } from './passage-files.ts';

/** The files of a live index. */
export class IndexFiles {
  readonly #objects: Objects;
  readonly #live: LiveModel;
  readonly header: FlatHeader;

  private constructor(objects: Objects, live: LiveModel, header: FlatHeader) {
    this.#objects = objects;
    this.#live = live;
    this.header = header;
  }

  static async open(objects: Objects, live: LiveModel): Promise<IndexFiles> {
    const [begin, info] = await Promise.all([
      objects.get(live.indexUri, { first: headerBytes }),
      objects.head(live.indexUri),
    ]);
    return new IndexFiles(objects, live, decodeFlatHeader(begin, info?.size));
  }

  /** Gives each row's inner product with a vector, in order. */
  async score(vector: Float32Array, take: (row: number, score: number) => void): Promise<void> {
    checkDimensions(vector, this.header.dimensions);
    for await (const rows of readFlatRows(this.#objects.stream(this.#live.indexUri)))
      for (let at = 0; at * rows.dimensions < rows.vectors.length; at += 1)
        take(rows.firstRow + at, scoreOf(rows, vector, at));
  }

  /** The row's inner product with a vector, read alone. */
  async scoreOne(vector: Float32Array, row: number): Promise<number> {
    const { dimensions } = this.header;
    checkDimensions(vector, dimensions);
    const bytes = 4 * dimensions;
    const from = headerBytes + row * bytes;
    const part = await this.#objects.get(this.#live.indexUri, { from, first: bytes });
    return scoreOf(decodeRow(part, dimensions, row), vector, 0);
  }

  ids(): AsyncGenerator<string> {
    return readRowIds(this.#objects.stream(this.#live.indexUri.replace(/[^/]+$/, 'ids.json')));
  }
}
