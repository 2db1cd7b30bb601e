import { AsyncLocalStorage } from 'node:async_hooks';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { openTableStores } from '../../lib/aws/table/open-stores.ts';
import {
  attemptForm,
  leaseForm,
  liveForm,
  modelForm,
  type RecordForm,
  runForm,
} from '../../lib/aws/table/records.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { MemoryDynamoDb, type WireRequest } from '../dynamodb/memory-dynamodb.ts';
import { tableSchema } from '../dynamodb/table-schema.ts';
import type { WireItem } from '../dynamodb/values.ts';
import { sequentialIds } from '../fixtures/sequential-ids.ts';
import type { Actor } from './actors.ts';
import { digest } from './digest.ts';
import { conditionsOf, footprintOfRequest, labelOf, taken } from './dynamo-requests.ts';
import { callerName, type Guards } from './guards.ts';
import type { Stores } from './memory-stores.ts';
import { isWrite } from './outcomes.ts';
import type { ExploredStores, Gate, StoreKind } from './store-kinds.ts';

const tableName = 'epsilon-test';

/** Without what differs and makes no difference: who wrote last, and the bytes of a sealed token, whose hash stands beside it. */
function stable(text: string): string {
  return text.replace(/"(writeId|sealedToken)":\{"S":"[^"]*"\}/g, '"$1":0');
}

const texts = new WeakMap<WireItem, string>();

function textOf(item: WireItem): string {
  let text = texts.get(item);
  if (text === undefined) {
    text = stable(JSON.stringify(item));
    texts.set(item, text);
  }
  return text;
}

const forms: readonly (readonly [RegExp, string, RecordForm<never> | undefined])[] = [
  [/^RUN#[^\n]*\nMETA$/, 'run', runForm as RecordForm<never>],
  [/^RUN#[^\n]*\nSTAGE#/, 'attempt', attemptForm as RecordForm<never>],
  [/\nLEASE$/, 'lease', leaseForm as RecordForm<never>],
  [/\nLIVE$/, 'live', liveForm as RecordForm<never>],
  [/^TENANT#[^\n]*\nMODEL#/, 'model', modelForm as RecordForm<never>],
  [/\nLOCK$/, 'lock', undefined],
];

const parsed = new WeakMap<WireItem, readonly [string, object] | undefined>();

/** An item as the record it holds, under the same key as in memory. */
function recordOf(item: WireItem): readonly [string, object] | undefined {
  if (parsed.has(item)) return parsed.get(item);
  const plain = unmarshall(item as never);
  const id = `${plain['pk']}\n${plain['sk']}`;
  const found = forms.find(([pattern]) => pattern.test(id));
  const [, kind, form] = found ?? [];
  const held = kind === 'lease' ? { held: plain['held'] } : {};
  const name = kind === 'run' ? String(plain['runId']) : id;
  const record = found && ([`${kind} ${name}`, { ...(form ? form.read(plain) : plain), ...held }] as const);
  parsed.set(item, record);
  return record;
}

/** A data key that nobody else makes. */
function keysOf(name: string) {
  let made = 0;
  return {
    generate: async () => {
      made += 1;
      const key = new Uint8Array(Buffer.from(digest(`${name} ${made}`).repeat(2).slice(0, 32)));
      return { key, wrapped: key.toReversed() };
    },
    unwrap: async (wrapped: Uint8Array) => wrapped.toReversed(),
  };
}

interface Answered {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** Who answers the requests of a call of a store. */
const answering = new AsyncLocalStorage<Answering>();

/** Who answers, and who asks: function and method. */
interface Answering {
  readonly site: string;
  answer(request: WireRequest, site: string): Promise<Answered>;
}

async function handle(request: unknown) {
  const within = answering.getStore();
  if (!within) throw new Error('A request was made outside of a store.');
  return { response: (await within.answer(request as WireRequest, within.site)) as never };
}

/** One for all trials and actors: making one costs more than a schedule. Nobody looks at signatures. */
const client = new DynamoDBClient({
  region: 'us-west-2',
  endpoint: 'http://localhost',
  maxAttempts: 1,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  signer: { sign: async (request: unknown) => request } as never,
  requestHandler: { handle },
});

/** An answer whose name leaves chance out. */
class Answer {
  readonly answered: Answered;
  constructor(answered: Answered) {
    this.answered = answered;
  }
  toJSON(): string {
    return stable(new TextDecoder().decode(this.answered.body));
  }
}

class DynamoStores implements ExploredStores {
  readonly direct: Stores;
  readonly #dynamo = new MemoryDynamoDb(tableName, tableSchema);
  readonly #gate: Gate;
  readonly #now: () => number;
  readonly #guards: Guards;
  /** A short name of what the index shows; undefined while it shows everything. */
  #held: string | undefined;

  constructor(gate: Gate, now: () => number, guards: Guards) {
    this.#gate = gate;
    this.#now = now;
    this.#guards = guards;
    this.direct = this.#stores('direct', async (request) => this.#dynamo.respond(request));
  }

  #respond(request: WireRequest, site: string): Answer {
    const asked = { ...read(request), site };
    this.#guards.decide(() => {
      for (const { name, holds } of conditionsOf(asked, this.#dynamo)) this.#guards.count(name, holds);
    });
    return new Answer(this.#dynamo.respond(taken(request, { ...asked, out: this.#guards.out })));
  }

  #stores(name: string, answer: Answering['answer']): Stores {
    const clock = {
      now: this.#now,
      setTimer: () => {
        throw new Error(`${name} waits for time`);
      },
    } as Clock;
    const keys = keysOf(name);
    const parts = { client, tableName, clock, random: () => 0.5, ids: sequentialIds(name.toUpperCase()) };
    const stores = openTableStores({
      ...parts,
      tokenKeyArn: 'arn:aws:kms:us-west-2:123456789012:key/tokens',
      kms: async () => keys,
    });
    const within = (key: string, store: object) =>
      new Proxy(store, {
        get: (target, method) => {
          const work = (target as Record<string | symbol, unknown>)[method];
          if (typeof work !== 'function') return work;
          const isSite = name !== 'direct' && isWrite(`${key}.${String(method)}`);
          return (...args: unknown[]) => {
            const site = isSite ? `${callerName()} ${String(method)}` : '';
            return answering.run({ answer, site }, () => work.apply(target, args));
          };
        },
      });
    return Object.fromEntries(
      Object.entries(stores).map(([key, store]) => [key, within(key, store)]),
    ) as unknown as Stores;
  }

  of(actor: Actor): Stores {
    return this.#stores(actor.name, async (request, site) => {
      const { action, input } = read(request);
      const reads = /^(GetItem|Query|BatchGetItem|Scan)$/.test(action);
      const answer = await this.#gate(actor, {
        label: labelOf(action, input),
        footprint: footprintOfRequest(action, input),
        outcomes: reads
          ? ['done', 'refused']
          : ['done', 'refused', 'lost', 'twice', 'dies before', 'dies after'],
        perform: () => this.#respond(request, site),
      });
      return answer.answered;
    });
  }

  records(): ReadonlyMap<string, object> {
    const records = this.#dynamo.table.all().map(recordOf);
    return new Map(records.filter((record) => record !== undefined));
  }

  #items(): string {
    return digest(this.#dynamo.table.all().map(textOf).sort().join('\n'));
  }

  state(): string {
    return `${this.#items()} ${this.#held ?? ''}`;
  }

  readonly index = {
    lags: () => this.#held !== undefined && this.#held !== this.#items(),
    lag: () => {
      this.#held = this.#items();
      this.#dynamo.table.holdIndexes();
    },
    catchUp: () => {
      this.#held = undefined;
      this.#dynamo.table.releaseIndexes();
    },
  };
}

function read(request: WireRequest): { action: string; input: Record<string, unknown> } {
  const action = request.headers['x-amz-target']?.split('.')[1] ?? '';
  return {
    action,
    input: JSON.parse(new TextDecoder().decode(request.body as Uint8Array)) as Record<string, unknown>,
  };
}

/** The table's stores behind the SDK's own client: every request waits to be picked, every conjunct of a condition counts. */
export function dynamoKind(guards: Guards): StoreKind {
  return { name: 'dynamodb', turns: 2, guards, open: (gate, now) => new DynamoStores(gate, now, guards) };
}
