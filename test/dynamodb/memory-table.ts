import { Parser, Placeholders } from './expressions.ts';
import { compareWire, equalWire, Invalid, itemSize, type Wire, type WireItem } from './values.ts';

/** How a table is keyed. */
export interface MemoryTableSchema {
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly indexes: readonly {
    readonly name: string;
    readonly partitionKey: string;
    readonly sortKey: string;
  }[];
}

/** The fields that conditions, updates and queries share. */
export interface Expressions {
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, Wire>;
}

/** A condition that does not hold; `item` is what stands there. */
export class Refused extends Error {
  override readonly name = 'ConditionalCheckFailedException';
  readonly item: WireItem | undefined;
  constructor(item: WireItem | undefined) {
    super('The conditional request failed');
    this.item = item;
  }
}

/** What a query or scan gives. */
export interface Page {
  readonly Items: WireItem[];
  readonly Count: number;
  readonly LastEvaluatedKey?: WireItem;
}

/** A query or scan as DynamoDB takes it. */
export interface PageRequest extends Expressions {
  readonly KeyConditionExpression?: string;
  readonly FilterExpression?: string;
  readonly IndexName?: string;
  readonly ConsistentRead?: boolean;
  readonly ScanIndexForward?: boolean;
  readonly Limit?: number;
  readonly ExclusiveStartKey?: WireItem;
}

const text = (value: Wire | undefined) => (value && 'S' in value ? value.S : undefined);

/** Items of one table and its KEYS_ONLY indexes, with DynamoDB's own strictness about keys, sizes and expressions. */
export class MemoryTable {
  readonly schema: MemoryTableSchema;
  /** Bytes of a page; DynamoDB's is 1 MiB. */
  pageBytes = 1_048_576;
  #items = new Map<string, WireItem>();
  #indexed: Map<string, WireItem> | undefined;

  constructor(schema: MemoryTableSchema) {
    this.schema = schema;
  }

  /** From now on the indexes show the table as it is at this moment, until they are let go. */
  holdIndexes(): void {
    this.#indexed = new Map(this.#items);
  }

  /** The indexes catch up. */
  releaseIndexes(): void {
    this.#indexed = undefined;
  }

  /** Every item, for looking at what is really stored. */
  all(): WireItem[] {
    return [...this.#items.values()];
  }

  /** Deletes what its time to live has let go, as the sweeper does. */
  sweep(timeToLive: string, nowSeconds: number): void {
    for (const [key, item] of this.#items) {
      const ttl = item[timeToLive];
      if (ttl && 'N' in ttl && Number(ttl.N) < nowSeconds) this.#items.delete(key);
    }
  }

  idOf(key: WireItem, exact = true): string {
    const { partitionKey, sortKey } = this.schema;
    const [pk, sk] = [text(key[partitionKey]), text(key[sortKey])];
    if (!pk || !sk || (exact && Object.keys(key).length !== 2))
      throw new Invalid('The provided key element does not match the schema');
    if (Buffer.byteLength(pk) > 2048 || Buffer.byteLength(sk) > 1024)
      throw new Invalid('One or more parameter values were invalid: Size of key has exceeded the limit');
    return `${pk}\n${sk}`;
  }

  get(key: WireItem): WireItem | undefined {
    return this.#items.get(this.idOf(key));
  }

  /** Checks a condition against what stands under a key. */
  check(
    key: WireItem,
    { ConditionExpression: condition, ...rest }: Expressions,
    more?: (terms: Placeholders) => void,
  ) {
    const terms = new Placeholders(rest.ExpressionAttributeNames, rest.ExpressionAttributeValues);
    const there = this.#items.get(this.idOf(key));
    const holds = condition === undefined || new Parser(condition, terms).condition()(there ?? {});
    more?.(terms);
    terms.checkAllUsed();
    if (!holds) throw new Refused(there);
  }

  /** What a put would store; the caller stores it. */
  put(item: WireItem, expressions: Expressions): () => void {
    const { partitionKey, sortKey } = this.schema;
    const id = this.idOf(item, false);
    this.check({ [partitionKey]: item[partitionKey] as Wire, [sortKey]: item[sortKey] as Wire }, expressions);
    this.#checkItem(item);
    return () => void this.#items.set(id, item);
  }

  /** What an update would store. */
  update(
    key: WireItem,
    update: string,
    expressions: Expressions,
  ): { readonly item: WireItem; readonly store: () => void } {
    const id = this.idOf(key);
    let item: WireItem = {};
    this.check(key, expressions, (terms) => {
      const { apply, touched } = new Parser(update, terms).update();
      const keys = [this.schema.partitionKey, this.schema.sortKey];
      const wrong = touched.find((name) => keys.includes(name));
      if (wrong) throw new Invalid(`Cannot update attribute ${wrong}. This attribute is part of the key`);
      item = apply(this.#items.get(id) ?? key);
    });
    this.#checkItem(item);
    return { item, store: () => void this.#items.set(id, item) };
  }

  /** What a delete would do. */
  remove(key: WireItem, expressions: Expressions): () => void {
    const id = this.idOf(key);
    this.check(key, expressions);
    return () => void this.#items.delete(id);
  }

  #checkItem(item: WireItem): void {
    itemSize(item);
    for (const index of this.schema.indexes)
      for (const name of [index.partitionKey, index.sortKey])
        if (item[name] !== undefined && !text(item[name]))
          throw new Invalid(`One or more parameter values were invalid: Type mismatch for Index Key ${name}`);
  }

  /** One page of a query. */
  query(request: PageRequest): Page {
    const index = this.#index(request);
    const terms = new Placeholders(request.ExpressionAttributeNames, request.ExpressionAttributeValues);
    const keyCondition = new Parser(request.KeyConditionExpression ?? '', terms).condition();
    const keys = index ?? this.schema;
    const found = this.#source(index !== undefined)
      .filter((item) => item[keys.partitionKey] !== undefined && item[keys.sortKey] !== undefined)
      .filter(keyCondition)
      .sort(
        (a, b) =>
          compareWire(a[keys.sortKey] as Wire, b[keys.sortKey] as Wire) ||
          this.idOf(a, false).localeCompare(this.idOf(b, false)),
      );
    if (new Set(found.map((item) => text(item[keys.partitionKey]))).size > 1)
      throw new Invalid('Query condition missed key schema element');
    if (request.ScanIndexForward === false) found.reverse();
    return this.#page(found, request, terms, index);
  }

  /** One page of a scan. */
  scan(request: PageRequest): Page {
    const terms = new Placeholders(request.ExpressionAttributeNames, request.ExpressionAttributeValues);
    return this.#page(this.#source(false), request, terms, undefined);
  }

  #index({ IndexName: name, ConsistentRead: consistent }: PageRequest) {
    if (name === undefined) return undefined;
    const index = this.schema.indexes.find((one) => one.name === name);
    if (!index) throw new Invalid(`The table does not have the specified index: ${name}`);
    if (consistent) throw new Invalid('Consistent reads are not supported on global secondary indexes');
    return index;
  }

  #source(indexed: boolean): WireItem[] {
    return [...((indexed ? this.#indexed : undefined) ?? this.#items).values()];
  }

  #page(
    found: WireItem[],
    request: PageRequest,
    terms: Placeholders,
    index: MemoryTableSchema['indexes'][number] | undefined,
  ): Page {
    const {
      FilterExpression: filter,
      Limit: limit = Number.POSITIVE_INFINITY,
      ExclusiveStartKey: start,
    } = request;
    const passes = filter === undefined ? () => true : new Parser(filter, terms).condition();
    terms.checkAllUsed();
    const { partitionKey, sortKey } = this.schema;
    const keyNames = [partitionKey, sortKey, ...(index ? [index.partitionKey, index.sortKey] : [])];
    const keysOf = (item: WireItem): WireItem =>
      Object.fromEntries(keyNames.map((name) => [name, item[name] as Wire]));
    const same = (item: WireItem) =>
      start !== undefined &&
      [partitionKey, sortKey].every((name) => equalWire(item[name] as Wire, start[name] as Wire));
    const rest = start ? found.slice(found.findIndex(same) + 1) : found;
    const read: WireItem[] = [];
    let bytes = 0;
    for (const item of rest) {
      if (read.length >= limit || bytes >= this.pageBytes) break;
      read.push(item);
      bytes += itemSize(index ? keysOf(item) : item);
    }
    const Items = read.filter(passes).map((item) => (index ? keysOf(item) : item));
    const last = read.at(-1);
    return {
      Items,
      Count: Items.length,
      ...(last && read.length < rest.length ? { LastEvaluatedKey: keysOf(last) } : {}),
    };
  }
}
