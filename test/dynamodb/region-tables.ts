import type { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { MemoryDynamoDb, type RecordedCall, type WireRequest } from './memory-dynamodb.ts';
import { tableSchema } from './table-schema.ts';

interface State {
  status: string;
  ttl: boolean;
  recoverable: boolean;
  deletionProtection: boolean;
  tags: { Key: string; Value: string }[];
  readonly dynamo: MemoryDynamoDb;
}

type Input = Readonly<Record<string, never>> & { readonly TableName?: string };

/** Seconds, as the service's JSON has dates. */
const seconds = (ms: number) => Math.floor(ms / 1000);

/** The tables of a region: the replica of the live one, and what is restored of it; what the service calls tables of. */
export class RegionTables {
  readonly #states = new Map<string, State>();
  readonly #clock: VirtualClock;
  readonly #live: MemoryDynamoDb;
  readonly #region: string;

  constructor(region: string, clock: VirtualClock, live: MemoryDynamoDb) {
    this.#region = region;
    this.#clock = clock;
    this.#live = live;
  }

  /** Answers a request; gives what was called, too. */
  respond(request: WireRequest): { response: ReturnType<MemoryDynamoDb['respond']>; call: RecordedCall } {
    const action = request.headers['x-amz-target']?.split('.')[1] ?? '';
    const input = JSON.parse(new TextDecoder().decode(request.body as Uint8Array)) as Input;
    const call = { action, input };
    const answer = this.#control(action, input);
    if (answer) return { response: wire(answer), call };
    const name = this.#named(input);
    const dynamo = name === this.#live.tableName ? this.#live : this.#states.get(name)?.dynamo;
    return { response: dynamo?.respond(request) ?? missing(), call };
  }

  /** A batch or a transaction names its table inside. */
  #named(input: Input): string {
    const items = (input['RequestItems'] ?? {}) as object;
    return input.TableName ?? Object.keys(items)[0] ?? '';
  }

  #control(action: string, input: Input): object | undefined {
    const name = input.TableName ?? input['TargetTableName'] ?? arnName(input['ResourceArn']);
    if (action === 'RestoreTableToPointInTime') return this.#restore(String(name));
    const state = this.#states.get(String(name));
    const answers: Readonly<Record<string, (found: State) => object>> = {
      DescribeTable: (found) => ({
        Table: {
          TableName: name,
          TableArn: `arn:aws:dynamodb:${this.#region}:123456789012:table/${name}`,
          TableStatus: found.status,
          DeletionProtectionEnabled: found.deletionProtection,
          ItemCount: 0,
        },
      }),
      DescribeTimeToLive: (found) => ({
        TimeToLiveDescription: found.ttl ? { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' } : {},
      }),
      ListTagsOfResource: (found) => ({ Tags: found.tags }),
      TagResource: (found) => Object.assign(found, { tags: input['Tags'] }) && {},
      UpdateTimeToLive: (found) => Object.assign(found, { ttl: true }) && {},
      UpdateContinuousBackups: (found) => Object.assign(found, { recoverable: true }) && {},
      UpdateTable: (found) =>
        Object.assign(found, { deletionProtection: input['DeletionProtectionEnabled'] }) && {},
      DeleteTable: () => this.#states.delete(String(name)) && {},
      DescribeContinuousBackups: (found) => backups(found.recoverable, this.#clock.now()),
    };
    const answer = answers[action];
    if (!answer) return undefined;
    if (state) return answer(state);
    if (name !== this.#live.tableName) return { __type: 'x#ResourceNotFoundException', status: 400 };
    return backups(true, this.#clock.now());
  }

  #restore(name: string): object {
    const dynamo = new MemoryDynamoDb(name, tableSchema);
    for (const item of this.#live.table.all()) dynamo.table.put(item, {})();
    const state: State = {
      dynamo,
      status: 'CREATING',
      ttl: false,
      recoverable: false,
      deletionProtection: false,
      tags: [],
    };
    this.#states.set(name, state);
    this.#clock.setTimer(60_000, () => {
      state.status = 'ACTIVE';
    });
    return {};
  }
}

const arnName = (arn: unknown) =>
  String(arn ?? '')
    .split('/')
    .at(-1);

const backups = (on: boolean, now: number) => ({
  ContinuousBackupsDescription: {
    ContinuousBackupsStatus: 'ENABLED',
    PointInTimeRecoveryDescription: on
      ? {
          PointInTimeRecoveryStatus: 'ENABLED',
          EarliestRestorableDateTime: seconds(now) - 86_400,
          LatestRestorableDateTime: seconds(now) - 300,
        }
      : { PointInTimeRecoveryStatus: 'DISABLED' },
  },
});

function wire(answer: object): ReturnType<MemoryDynamoDb['respond']> {
  const { status = 200, ...body } = answer as { status?: number };
  return {
    statusCode: status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: new TextEncoder().encode(JSON.stringify(body)),
  };
}

const missing = () => wire({ __type: 'x#ResourceNotFoundException', status: 400 });
