import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  type Expressions,
  MemoryTable,
  type MemoryTableSchema,
  type PageRequest,
  Refused,
} from './memory-table.ts';
import { Invalid, type WireItem } from './values.ts';

/** One call as it reached the service. */
export interface RecordedCall {
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** A fault for one call: before the service does anything, or after it did and the answer is lost. */
export interface Fault {
  readonly action: string;
  readonly when: 'before' | 'after';
  /** The service's or the network's name for it. */
  readonly name: string;
  /** How many calls of this action meet it; one by default. */
  readonly times?: number;
  /** More fields of the error's body. */
  readonly body?: Readonly<Record<string, unknown>>;
}

type Key = { readonly Key: WireItem } & Expressions;
type Part = Partial<
  Record<'Put' | 'Update' | 'Delete' | 'ConditionCheck', Key & { Item: WireItem; UpdateExpression: string }>
>;

/** A request on its way, as far as it is read. */
export interface WireRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The requests' fields that are read here, all together. */
type Request = Key &
  PageRequest & { readonly TableName?: string; readonly Item: WireItem; readonly UpdateExpression: string };

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Faults of the network: no answer comes at all. */
const network: ReadonlySet<string> = new Set(['TimeoutError', 'ECONNRESET']);

const continuousBackups = {
  ContinuousBackupsDescription: {
    ContinuousBackupsStatus: 'ENABLED',
    PointInTimeRecoveryDescription: {
      PointInTimeRecoveryStatus: 'ENABLED',
      EarliestRestorableDateTime: 1_792_400_000,
      LatestRestorableDateTime: 1_795_485_000,
    },
  },
};

/**
 * A DynamoDB in memory behind the SDK's own client: requests are serialised, sent, answered and parsed as over the network,
 * so that marshalling, retries and error shapes are the SDK's. Expressions are parsed and evaluated.
 */
export class MemoryDynamoDb {
  readonly tableName: string;
  readonly table: MemoryTable;
  readonly calls: RecordedCall[] = [];
  #faults: { fault: Fault; left: number }[] = [];
  readonly #tokens = new Map<string, string>();

  constructor(tableName: string, schema: MemoryTableSchema) {
    this.tableName = tableName;
    this.table = new MemoryTable(schema);
  }

  /** Makes coming calls of an action fail. */
  fail(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** A client whose requests end here. Pauses between tries are the SDK's unless `maxAttempts` is 1. */
  client(maxAttempts = 4): DynamoDBClient {
    return new DynamoDBClient({
      region: 'us-west-2',
      maxAttempts,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      requestHandler: {
        handle: async (request: WireRequest) => ({ response: this.respond(request) as never }),
      },
    });
  }

  /** Answers a request as the service would. */
  respond(request: WireRequest): { statusCode: number; headers: Record<string, string>; body: Uint8Array } {
    const action = request.headers['x-amz-target']?.split('.')[1] ?? '';
    const input = JSON.parse(new TextDecoder().decode(request.body as Uint8Array)) as Record<string, unknown>;
    const fault = this.#faultFor(action);
    this.calls.push({ action, input });
    if (fault?.when === 'before') return this.#fault(fault);
    const { status, body } = this.#answer(action, input);
    if (fault) return this.#fault(fault);
    return {
      statusCode: status,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: new TextEncoder().encode(JSON.stringify(body)),
    };
  }

  #faultFor(action: string): Fault | undefined {
    const found = this.#faults.find(({ fault, left }) => fault.action === action && left > 0);
    if (found) found.left -= 1;
    return found?.fault;
  }

  #fault({ name, body = {} }: Fault): ReturnType<MemoryDynamoDb['respond']> {
    if (network.has(name)) throw Object.assign(new Error(`${name}: no answer`), { name, code: name });
    return {
      statusCode: 400,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: new TextEncoder().encode(
        JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: name, ...body }),
      ),
    };
  }

  #answer(action: string, input: Record<string, unknown>): Answer {
    try {
      return { status: 200, body: this.#act(action, input as never) };
    } catch (error) {
      if (error instanceof Refused) {
        const asked = input['ReturnValuesOnConditionCheckFailure'] === 'ALL_OLD' && error.item;
        return this.#error(error, asked ? { Item: error.item } : {});
      }
      if (error instanceof Cancelled) return this.#error(error, { CancellationReasons: error.reasons });
      if (error instanceof Error && error.name.endsWith('Exception')) return this.#error(error, {});
      throw error;
    }
  }

  #error(error: Error, more: Record<string, unknown>): Answer {
    return {
      status: 400,
      body: { __type: `com.amazonaws.dynamodb.v20120810#${error.name}`, message: error.message, ...more },
    };
  }

  #act(action: string, input: Request): unknown {
    if (action === 'DescribeContinuousBackups') return continuousBackups;
    const named = input.TableName;
    if (named !== undefined && named !== this.tableName)
      throw Object.assign(new Error('Requested resource not found'), { name: 'ResourceNotFoundException' });
    const { table } = this;
    switch (action) {
      case 'GetItem': {
        const found = table.get(input.Key);
        return found ? { Item: found } : {};
      }
      case 'PutItem':
        table.put(input.Item, input)();
        return {};
      case 'UpdateItem': {
        const { item, store } = table.update(input.Key, input.UpdateExpression, input);
        store();
        return { Attributes: item };
      }
      case 'DeleteItem':
        table.remove(input.Key, input)();
        return {};
      case 'Query':
        return table.query(input);
      case 'Scan':
        return table.scan(input);
      case 'BatchGetItem':
        return this.#batchGet(input as never);
      case 'TransactWriteItems':
        return this.#transact(input as never);
      default:
        throw new Invalid(`This stand-in does not know ${action}`);
    }
  }

  #batchGet({ RequestItems: asked }: { RequestItems: Record<string, { Keys: WireItem[] }> }) {
    const keys = asked[this.tableName]?.Keys ?? [];
    if (keys.length === 0 || keys.length > 100)
      throw new Invalid('Too many items requested for the BatchGetItem call');
    if (new Set(keys.map((key) => this.table.idOf(key))).size < keys.length)
      throw new Invalid('Provided list of item keys contains duplicates');
    const found = keys.map((key) => this.table.get(key)).filter((item) => item !== undefined);
    return { Responses: { [this.tableName]: found.reverse() }, UnprocessedKeys: {} };
  }

  #transact({
    TransactItems: parts,
    ClientRequestToken: token = '',
  }: {
    TransactItems: Part[];
    ClientRequestToken?: string;
  }) {
    const whole = JSON.stringify(parts);
    const before = this.#tokens.get(token);
    if (before !== undefined && before !== whole)
      throw Object.assign(new Error('Another request had this token'), {
        name: 'IdempotentParameterMismatchException',
      });
    if (before === whole) return {};
    if (parts.length > 100) throw new Invalid('Member must have length less than or equal to 100');
    this.#checkDistinct(parts);
    const reasons: { Code: string; Item?: WireItem }[] = [];
    const writes: (() => void)[] = [];
    for (const part of parts) {
      try {
        writes.push(this.#prepare(part));
        reasons.push({ Code: 'None' });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        reasons.push({ Code: 'ConditionalCheckFailed', ...(error.item ? { Item: error.item } : {}) });
      }
    }
    if (writes.length < parts.length) throw new Cancelled(reasons);
    for (const write of writes) write();
    this.#tokens.set(token, whole);
    return {};
  }

  #checkDistinct(parts: readonly Part[]): void {
    const { partitionKey, sortKey } = this.table.schema;
    const ids = parts.map(({ Put: put, ...others }) => {
      const key = put?.Item ?? Object.values(others)[0]?.Key ?? {};
      return JSON.stringify([key[partitionKey], key[sortKey]]);
    });
    if (new Set(ids).size < ids.length)
      throw new Invalid('Transaction request cannot include multiple operations on one item');
  }

  #prepare({ Put: put, Update: update, Delete: remove, ConditionCheck: check }: Part): () => void {
    if (put) return this.table.put(put.Item, put);
    if (update) return this.table.update(update.Key, update.UpdateExpression, update).store;
    if (remove) return this.table.remove(remove.Key, remove);
    if (!check?.ConditionExpression) throw new Invalid('A condition check needs a condition');
    this.table.check(check.Key, check);
    return () => {};
  }
}

class Cancelled extends Error {
  override readonly name = 'TransactionCanceledException';
  readonly reasons: readonly { readonly Code: string }[];
  constructor(reasons: readonly { readonly Code: string }[]) {
    super(`Transaction cancelled [${reasons.map(({ Code }) => Code).join(', ')}]`);
    this.reasons = reasons;
  }
}
