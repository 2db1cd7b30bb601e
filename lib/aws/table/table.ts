import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { inParallel } from '../../concurrency/in-parallel.ts';
import { Throttled } from '../../errors/run-errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { IdSource } from '../../ports/id-source.ts';
import type { Random } from '../../ports/random.ts';
import { all, type Changes, compare, type Part, Terms, updateExpression } from './expressions.ts';
import type { ItemKey } from './keys.ts';
import {
  explainTableError,
  type Item,
  isConflict,
  isRefused,
  type Refusal,
  refusalsOf,
  refusingItem,
} from './table-errors.ts';
import { type TransactionPart, transactItem, withItem } from './transact-item.ts';

/** Keys one BatchGetItem may ask for, and how many such calls run side by side. */
const mostKeys = 100;
const batchesAtOnce = 4;

/** Tries when other transactions are in the way or a batch comes back in parts, and the first pause in milliseconds. */
const rounds = 6;
const firstPause = 25;

/** What the table is made of. */
export interface TableOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: IdSource;
}

/** How a conditional write ended: `item` is the item that exists now (absent: none, or not requested). */
export interface Written {
  readonly done: boolean;
  readonly item?: Item;
}

/** What is asked of one partition, of the table or of an index. */
export interface PartitionQuery {
  readonly partition: Part;
  readonly index?: string;
  readonly range?: Part;
  readonly filter?: Part;
  readonly newestFirst?: boolean;
  readonly limit?: number;
}

/** One DynamoDB table: consistent reads of all pages, conditional writes that survive a lost answer, errors of Epsilon. */
export class Table {
  readonly name: string;
  readonly #documents: DynamoDBDocumentClient;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ids: IdSource;

  constructor({ client, tableName, clock, random, ids }: TableOptions) {
    this.name = tableName;
    this.#documents = DynamoDBDocumentClient.from(client, {
      marshallOptions: { removeUndefinedValues: true },
    });
    this.#clock = clock;
    this.#random = random;
    this.#ids = ids;
  }

  /** The item as it is now. */
  async get(key: ItemKey): Promise<Item | undefined> {
    const { Item: found } = await this.#call('GetItem', () =>
      this.#documents.send(new GetCommand({ TableName: this.name, Key: { ...key }, ConsistentRead: true })),
    );
    return found;
  }

  /** The items of these keys as they are now, in the order of the keys; those that are not there are left out. */
  async getMany(keys: readonly ItemKey[]): Promise<Item[]> {
    const batches: ItemKey[][] = [];
    for (let at = 0; at < keys.length; at += mostKeys) batches.push(keys.slice(at, at + mostKeys));
    const found = (
      await inParallel(batches, batchesAtOnce, (batch: ItemKey[]) => this.#getBatch(batch))
    ).flat();
    const byKey = new Map(found.map((item) => [`${item['pk']}\n${item['sk']}`, item]));
    return keys.map(({ pk, sk }) => byKey.get(`${pk}\n${sk}`)).filter((item) => item !== undefined);
  }

  async #getBatch(keys: readonly ItemKey[]): Promise<Item[]> {
    const found: Item[] = [];
    let left: readonly Item[] = keys.map(({ pk, sk }) => ({ pk, sk }));
    for (let round = 0; left.length > 0; round += 1) {
      if (round >= rounds) throw new Throttled(`dynamodb:BatchGetItem on ${this.name} gives only parts.`);
      if (round > 0) await this.#pause(round);
      const Keys = [...left];
      const answer = await this.#call('BatchGetItem', () =>
        this.#documents.send(
          new BatchGetCommand({ RequestItems: { [this.name]: { Keys, ConsistentRead: true } } }),
        ),
      );
      found.push(...(answer.Responses?.[this.name] ?? []));
      left = answer.UnprocessedKeys?.[this.name]?.Keys ?? [];
    }
    return found;
  }

  /** Items of a partition, every page; consistent unless an index is asked, which cannot be. */
  async query(asked: PartitionQuery): Promise<Item[]> {
    const { partition, index, range, filter, newestFirst = false, limit = Number.POSITIVE_INFINITY } = asked;
    const terms = new Terms();
    const fields = {
      TableName: this.name,
      KeyConditionExpression: (range ? all(partition, range) : partition)(terms),
      ...(filter ? { FilterExpression: filter(terms) } : {}),
      ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
      ...(newestFirst ? { ScanIndexForward: false } : {}),
      ...(Number.isFinite(limit) && !filter ? { Limit: limit } : {}),
      ...terms.fields(),
    };
    return this.#pages('Query', limit, (from) =>
      this.#documents.send(new QueryCommand({ ...fields, ...from })),
    );
  }

  /** Items of the whole table that pass a filter. Reads everything: for people's rare questions, never for a function. */
  async scan(filter: Part): Promise<Item[]> {
    const terms = new Terms();
    const fields = { TableName: this.name, FilterExpression: filter(terms), ...terms.fields() };
    return this.#pages('Scan', Number.POSITIVE_INFINITY, (from) =>
      this.#documents.send(new ScanCommand({ ...fields, ConsistentRead: true, ...from })),
    );
  }

  async #pages(
    action: string,
    limit: number,
    send: (from: {
      ExclusiveStartKey?: Item;
    }) => Promise<{ Items?: Item[] | undefined; LastEvaluatedKey?: Item | undefined }>,
  ): Promise<Item[]> {
    const found: Item[] = [];
    let from: Item | undefined;
    do {
      const start = from;
      const page = await this.#call(action, () => send(start ? { ExclusiveStartKey: start } : {}));
      found.push(...(page.Items ?? []));
      from = page.LastEvaluatedKey;
    } while (from && found.length < limit);
    return Number.isFinite(limit) ? found.slice(0, limit) : found;
  }

  /** Writes a whole item. Refused: `done` is false, with the existing item. */
  async put(item: Item, condition?: Part): Promise<Written> {
    const writeId = this.#ids.ulid();
    const written = { ...item, writeId };
    const terms = new Terms();
    const input = {
      TableName: this.name,
      Item: written,
      ...(condition ? { ConditionExpression: condition(terms), ...terms.fields(), ...withItem } : {}),
    };
    return this.#write('PutItem', writeId, async () => {
      await this.#documents.send(new PutCommand(input));
      return written;
    });
  }

  /** Changes attributes. Done: `item` is the new item. Refused: the existing item. */
  async update(key: ItemKey, changes: Changes, condition: Part): Promise<Written> {
    const writeId = this.#ids.ulid();
    const terms = new Terms();
    const input = {
      TableName: this.name,
      Key: { ...key },
      UpdateExpression: updateExpression({ ...changes, writeId }, terms),
      ConditionExpression: condition(terms),
      ReturnValues: 'ALL_NEW' as const,
      ...withItem,
      ...terms.fields(),
    };
    return this.#write(
      'UpdateItem',
      writeId,
      async () => (await this.#documents.send(new UpdateCommand(input))).Attributes ?? {},
    );
  }

  /** Deletes an item; refused when the condition does not hold. */
  async remove(key: ItemKey, condition: Part): Promise<Written> {
    const terms = new Terms();
    const input = {
      TableName: this.name,
      Key: { ...key },
      ConditionExpression: condition(terms),
      ...withItem,
      ...terms.fields(),
    };
    return this.#write('DeleteItem', undefined, async () => {
      await this.#documents.send(new DeleteCommand(input));
      return undefined;
    });
  }

  /**
   * A refused write whose item carries this write's own id had succeeded: its answer was lost, the SDK sent it again and
   * it met itself.
   */
  async #write(
    action: string,
    writeId: string | undefined,
    work: () => Promise<Item | undefined>,
  ): Promise<Written> {
    try {
      const item = await this.#call(action, work);
      return { done: true, ...(item ? { item } : {}) };
    } catch (error) {
      if (!isRefused(error)) throw error;
      const item = refusingItem(error);
      const own = writeId !== undefined && item?.['writeId'] === writeId;
      return { done: own, ...(item ? { item } : {}) };
    }
  }

  /** Writes all parts or none. Undefined when done, otherwise why each part was refused, in their order. */
  async transact(parts: readonly TransactionPart[]): Promise<readonly Refusal[] | undefined> {
    const writeId = this.#ids.ulid();
    const TransactItems = parts.map((part) => transactItem(part, this.name, writeId));
    try {
      await this.#call('TransactWriteItems', () =>
        this.#documents.send(
          new TransactWriteCommand({ TransactItems, ClientRequestToken: this.#ids.ulid() }),
        ),
      );
      return undefined;
    } catch (error) {
      const refusals = refusalsOf(error);
      if (refusals?.some(({ code }) => code === 'ConditionalCheckFailed')) return refusals;
      throw error;
    }
  }

  #pause(round: number): Promise<void> {
    const most = firstPause * 2 ** round;
    return new Promise((resolve) => this.#clock.setTimer(this.#random() * most, resolve));
  }

  /** Makes a call again while other transactions are in its way; conditions that refused are the caller's to judge. */
  async #call<T>(action: string, work: () => Promise<T>): Promise<T> {
    for (let round = 1; ; round += 1) {
      try {
        return await work();
      } catch (error) {
        if (isConflict(error) && round < rounds) {
          await this.#pause(round);
          continue;
        }
        const refused = refusalsOf(error)?.some(({ code }) => code === 'ConditionalCheckFailed');
        if (isRefused(error) || refused) throw error;
        throw explainTableError(error, action, this.name);
      }
    }
  }
}

/** A partition of the table. */
export const partitionIs = (pk: string): Part => compare('pk', '=', pk);
