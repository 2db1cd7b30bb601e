import { AsyncLocalStorage } from 'node:async_hooks';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BatchClient, DescribeComputeEnvironmentsCommand } from '@aws-sdk/client-batch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { RDSClient } from '@aws-sdk/client-rds';
import { mockClient } from 'aws-sdk-client-mock';
import { openTableStores, type TableStores } from '../../lib/aws/table/open-stores.ts';
import type { Clients } from '../../lib/aws/wiring/clients.ts';
import { assemblePorts } from '../../lib/aws/wiring/wire-aws.ts';
import { type Deployment, deploymentOf } from '../../lib/config/deployment.ts';
import type { EpsilonHandler } from '../../lib/handler/define-handler.ts';
import type { BasePorts } from '../../lib/ports/ports.ts';
import { systemIds } from '../../lib/system/system-ids.ts';
import { imageNames, stages } from '../../lib/training/stages.ts';
import { LocalFunctions, type LocalPorts } from '../../local/adapters/functions.ts';
import type { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';
import { writeTemplates } from '../aws/batch-runner.ts';
import { BatchStandIn } from '../aws/batch-stand-in.ts';
import type { RdsStandIn } from '../aws/rds-stand-in.ts';
import { MemoryDynamoDb, type WireRequest } from '../dynamodb/memory-dynamodb.ts';
import { RegionTables } from '../dynamodb/region-tables.ts';
import { tableSchema } from '../dynamodb/table-schema.ts';
import { account, arnOf, region } from '../fixtures/aws-base.ts';
import { aModel, aRun, aTenant } from '../fixtures/records.ts';
import { leaveOutputs } from '../night/batch-night.ts';
import { type Night, openNight } from '../night/harness.ts';
import { databasesOf, followDatabases } from './databases.ts';
import { type AwsRequest, inRegion, resources } from './requests.ts';
import { missingObject, requestsOfCall } from './service-requests.ts';
import { serviceAnswers } from './stand-ins.ts';
import { requestsOfTableCall } from './table-requests.ts';

/** Function key to what it asked of AWS. */
export type Recorded = Map<string, AwsRequest[]>;

/** A night whose functions are wired as deployed ones: adapters of AWS over SDK clients whose calls are noted. */
export interface DeployedNight extends Night {
  readonly batch: BatchStandIn;
  readonly rds: RdsStandIn;
  /** Says which ECS tasks, by their tags, run on every instance. */
  runOnInstance(tasks: readonly Readonly<Record<string, string>>[]): void;
  /** Invocations of this function no longer reach it, as when its event is lost; undefined ends that. */
  lose(key: string | undefined): void;
  /** Puts so many documents where the tenant's are. */
  upload(tenantId: string, count: number): void;
  /** Puts an object into the bucket. */
  write(uri: string, body: string): void;
  /** Records that the tenant's data was found bad. */
  foundBad(tenantId: string): Promise<void>;
  /** Makes the images' digest another one than the one of infrastructure's definitions, or the same again. */
  release(digit: string): void;
  /** Takes every object to the other region's bucket, with what stages of a real run leave besides. */
  replicate(): void;
  /** Puts on record what was trained long ago: more runs and models of a tenant than stay. */
  growOld(tenantId: string): Promise<void>;
  /** Records a drill that proved everything up to the end of the year. */
  proveRecovery(): Promise<void>;
  /** Invokes a function with an event, as a rule would. */
  invoke(key: string, event: unknown): Promise<unknown>;
  close(): Promise<void>;
}

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`;

/** The resources around the functions; the rules of the embedded runtime know the queues by other names than ARNs. */
function deploymentWith(batchJobDefinitionArns: Deployment['batchJobDefinitionArns']): Deployment {
  const known = deploymentOf({
    EPSILON_AWS_ACCOUNT_ID: account,
    EPSILON_AWS_TABLE_NAME: resources.table,
    EPSILON_AWS_TOKEN_KEY_ARN: resources.tokenKey,
    EPSILON_AWS_EVENT_BUS_NAME: resources.bus,
    EPSILON_AWS_ALERTS_TOPIC_ARN: resources.topic,
    EPSILON_AWS_BATCH_SPOT_QUEUE_ARN: resources.queues.spot,
    EPSILON_AWS_BATCH_ON_DEMAND_QUEUE_ARN: resources.queues['on-demand'],
    EPSILON_AWS_BATCH_JOB_DEFINITION_ARNS: '{}',
    EPSILON_AWS_REPOSITORY_URLS: JSON.stringify(
      Object.fromEntries(imageNames.map((image) => [image, resources.repository(image)])),
    ),
    EPSILON_AWS_JOB_ROLE_ARN: resources.role('tenant-job'),
    EPSILON_AWS_DATABASE_ID: resources.database,
    EPSILON_AWS_REPLICA_BUCKET: resources.replicaBucket,
    EPSILON_AWS_REPLICA_KEY_ARN: resources.replicaKey,
    EPSILON_AWS_RESTORE_SUBNET_GROUP: resources.landing,
    EPSILON_AWS_RESTORE_PARAMETER_GROUP: resources.landing,
    EPSILON_AWS_RESTORE_SECURITY_GROUP_ID: 'sg-1',
  });
  const { spot, 'on-demand': onDemand } = resources.localQueues;
  return { ...known, batchJobDefinitionArns, batchSpotQueueArn: spot, batchOnDemandQueueArn: onDemand };
}

/** A service behind the clients: what is asked of it, by whom, and what it answers. */
class Plane {
  recorded: Recorded = new Map();
  readonly batch: BatchStandIn;
  readonly rds: RdsStandIn;
  readonly tables: RegionTables;
  readonly answers: ReturnType<typeof serviceAnswers>;
  readonly #table: MemoryDynamoDb;
  readonly #own: LocalPorts;
  readonly #deployment: Deployment;
  /** Function key to what it is wired with. */
  readonly ports = new Map<string, BasePorts>();
  digit = '0';
  lost: string | undefined;
  tasks: readonly Readonly<Record<string, string>>[] = [];

  constructor(own: LocalPorts, table: MemoryDynamoDb) {
    this.#own = own;
    this.#table = table;
    const batch = new BatchStandIn(own.clock, resources.localQueues);
    this.batch = batch;
    this.rds = databasesOf(own.clock as VirtualClock);
    this.tables = new RegionTables('us-east-1', own.clock as VirtualClock, table);
    this.#deployment = deploymentWith(
      writeTemplates(batch, (stage) => `${resources.repository(stages[stage].image)}@${digestOf('0')}`),
    );
    this.answers = serviceAnswers({
      ports: own,
      tasksOn: () => this.tasks,
      digest: () => digestOf(this.digit),
    });
  }

  /** Events of AWS come over the account's bus; the embedded runtime has one for all. */
  publish(event: { source: string; detailType: string; detail: Record<string, unknown> }): Promise<void> {
    return this.#own.events.publish([{ ...event, source: event.source as never }]);
  }

  note(key: string, requests: readonly AwsRequest[]): void {
    this.recorded.set(key, [...(this.recorded.get(key) ?? []), ...requests]);
  }

  /** Wires every function as when it is deployed, each as a process of its own. */
  async wire(): Promise<void> {
    const { config, clock, ids, random, log, metrics } = this.#own;
    const base = { config, clock, ids, random, log, metrics, deployment: this.#deployment };
    for (const [key, { aws }] of await handlers())
      this.ports.set(key, await assemblePorts({ ...base, clients: this.#clients(key) }, aws));
  }

  #tableClient(key: string, where: string): DynamoDBClient {
    const handle = async (request: WireRequest) => {
      if (where !== region) {
        const { response, call } = this.tables.respond(request);
        this.note(key, placed(requestsOfTableCall(call), where));
        return { response: response as never };
      }
      const response = this.#table.respond(request);
      const call = this.#table.calls.at(-1);
      if (call) this.note(key, requestsOfTableCall(call));
      return { response: response as never };
    };
    return new DynamoDBClient({ region: where, credentials, requestHandler: { handle } });
  }

  #clients(key: string, where: string = region): Clients {
    const made = new Map<unknown, unknown>();
    const make = (Client: ClientClass) =>
      Client.name === DynamoDBClient.name ? this.#tableClient(key, where) : this.#client(key, Client, where);
    return {
      region: where,
      of: ((Client: ClientClass) => {
        const there = made.get(Client) ?? make(Client);
        made.set(Client, there);
        return there;
      }) as Clients['of'],
      in: (there) => this.#clients(key, there),
      close: () => {},
    };
  }

  #client(key: string, Client: ClientClass, where: string): AnyClient {
    const client = new Client({ region: where, credentials });
    const send = client.send.bind(client);
    client.send = async (command) => {
      const name = command.constructor.name;
      this.note(key, placed(requestsOfCall(Client.name, name, command.input), where));
      if (client instanceof BatchClient) return send(command);
      if (Client.name === RDSClient.name)
        return this.rds.answer(where, name.replace(/Command$/, ''), command.input);
      const answer = this.answers[Client.name]?.[name.replace(/Command$/, '')];
      if (!answer) throw new Error(`No stand-in answers ${name} of ${Client.name}.`);
      try {
        return await answer(command.input as never);
      } catch (error) {
        if (isMissing(error)) this.note(key, placed([missingObject(command.input as never)], where));
        throw error;
      }
    };
    return client;
  }
}

/** What is asked in another region is asked of what is there. */
const placed = (requests: readonly AwsRequest[], where: string) =>
  where === region ? requests : requests.map((request) => inRegion(request, where));

interface AnyClient {
  send(command: { readonly input: unknown }): Promise<unknown>;
}
type ClientClass = new (options: object) => AnyClient;

const isMissing = (error: unknown) => ['NoSuchKey', 'NotFound'].includes((error as Error).name);

/** Replaces a method of LocalFunctions until the answer is called. */
function replace<K extends 'bind' | 'invoke'>(
  method: K,
  make: (original: LocalFunctions[K]) => LocalFunctions[K],
): () => void {
  const original = LocalFunctions.prototype[method];
  LocalFunctions.prototype[method] = make(original);
  return () => {
    LocalFunctions.prototype[method] = original;
  };
}

/** Every function's handler, from the file that functions.yml names. */
async function handlers(): Promise<Map<string, EpsilonHandler>> {
  const declared = readYaml('infra/serverless/functions.yml') as Record<string, { handler: string }>;
  const found = new Map<string, EpsilonHandler>();
  for (const [key, { handler: named }] of Object.entries(declared)) {
    const file = resolve(named.replace(/\.handler$/, '.ts'));
    const { handler } = (await import(pathToFileURL(file).href)) as { handler: EpsilonHandler };
    found.set(key, handler);
  }
  return found;
}

/** Gives every function the ports it is wired with when deployed; the runtime itself keeps its own. */
function wireAsDeployed(table: MemoryDynamoDb) {
  let plane: Plane | undefined;
  let functions: LocalFunctions | undefined;
  const mine = new AsyncLocalStorage<BasePorts>();
  const restoreBind = replace(
    'bind',
    (bind) =>
      function (this: LocalFunctions, ports) {
        plane = new Plane(ports, table);
        functions = this;
        bind.call(this, new Proxy(ports, { get: (own, name) => Reflect.get(mine.getStore() ?? own, name) }));
      },
  );
  const restoreInvoke = replace(
    'invoke',
    (invoke) =>
      function (this: LocalFunctions, key, event) {
        if (plane?.lost === key) return Promise.resolve({ lost: true });
        const ports = plane?.ports.get(key);
        return ports ? mine.run(ports, () => invoke.call(this, key, event)) : invoke.call(this, key, event);
      },
  );
  return {
    bound: () => {
      if (plane && functions) return { plane, functions };
      throw new Error('The runtime bound no ports.');
    },
    restore: () => {
      restoreBind();
      restoreInvoke();
    },
  };
}

/** Opens a night in which every function works over the adapters of AWS; Batch's events come over the bus. */
export async function openDeployedNight(
  recorded: Recorded,
  options: { readonly variables?: Record<string, string>; readonly schedules?: boolean } = {},
): Promise<DeployedNight> {
  const table = new MemoryDynamoDb(resources.table, tableSchema);
  const wiring = wireAsDeployed(table);
  const stub = mockClient(BatchClient);
  let stores: TableStores | undefined;
  const night = await openNight({
    schedules: options.schedules ?? true,
    variables: {
      EPSILON_ENVIRONMENT: resources.environment,
      EPSILON_DATA_BUCKET: resources.bucket,
      ...options.variables,
    },
    makeStores: (own, clock) => {
      stores = openTableStores({
        client: table.client(),
        tableName: table.tableName,
        clock,
        random: () => 0.5,
        ids: systemIds(clock),
        tokenKeyArn: undefined,
        kms: async () => Promise.reject(new Error('The test itself opens no token.')),
      });
      return { ...own, ...stores };
    },
  });
  const { plane, functions } = wiring.bound();
  await plane.wire();
  plane.recorded = recorded;
  const { batch } = plane;
  batch.install(stub);
  // Batch makes a cluster for each compute environment and puts its name into the cluster's; how has changed over the years.
  stub.on(DescribeComputeEnvironmentsCommand).resolves({
    computeEnvironments: [
      'epsilon-dev-batch-spot-1_Batch_0000',
      'AWSBatch-epsilon-dev-batch-on-demand-1-0000',
    ].map((name) => ({
      computeEnvironmentArn: arnOf('batch', `compute-environment/${name}`),
      computeEnvironmentName: name,
      ecsClusterArn: arnOf('ecs', `cluster/${name}`),
    })),
  });
  batch.onSuccess = (job) => leaveOutputs(night.jobs.objectsRoot, job);
  batch.onEvent = ({ source, 'detail-type': detailType, detail }) =>
    void plane.publish({ source, detailType, detail: detail as unknown as Record<string, unknown> });
  return Object.assign(night, {
    batch,
    rds: plane.rds,
    foundBad: async (tenantId: string) => {
      const checkedAt = new Date(night.clock.now()).toISOString();
      const finding = {
        check: 'completeness',
        code: 'EMPTY',
        severity: 'critical',
        sentence: 'all documents are empty',
      } as const;
      await stores?.verdicts.record({
        tenantId,
        verdict: 'critical',
        findings: [finding],
        checkedAt,
        since: checkedAt,
      });
    },
    add: async (...tenantIds: string[]) => {
      for (const tenantId of tenantIds) {
        const documentsUri = `s3://${resources.bucket}/${tenantId}/documents/`;
        await stores?.tenants.put(aTenant({ tenantId, backend: 'batch', documentsUri }), 0);
      }
    },
    write: (uri: string, body: string) => {
      const path = join(night.jobs.objectsRoot, uri.slice('s3://'.length));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, body);
    },
    upload: (tenantId: string, count: number) => {
      const folder = join(night.jobs.objectsRoot, resources.bucket, tenantId, 'documents');
      mkdirSync(folder, { recursive: true });
      for (let index = 0; index < count; index += 1)
        writeFileSync(join(folder, `${index}.txt`), `Document number ${index}.`);
    },
    runOnInstance: (tasks: Plane['tasks']) => {
      plane.tasks = tasks;
    },
    lose: (key: string | undefined) => {
      plane.lost = key;
    },
    release: (digit: string) => {
      plane.digit = digit;
    },
    replicate: () => {
      const root = night.jobs.objectsRoot;
      followDatabases(plane.rds, night.clock);
      cpSync(join(root, resources.bucket), join(root, resources.replicaBucket), { recursive: true });
      const index = join(root, resources.replicaBucket, 'acme/runs/acme-manual/index/1');
      writeFileSync(join(index, 'ids.json'), '[]');
    },
    growOld: async (tenantId: string) => {
      const finishedAt = '2026-01-01T03:00:00.000Z';
      for (let n = 0; n < 12; n += 1)
        await stores?.runs.createRun(
          aRun({ runId: `${tenantId}-old-${n}`, tenantId, status: 'succeeded', nightArn: 'old', finishedAt }),
        );
      await stores?.models.register(aModel({ tenantId, modelVersion: 'M0', runId: `${tenantId}-old-0` }));
    },
    proveRecovery: async () => {
      const id = '2026-12-31T00:00:00.000Z';
      await stores?.recoveryRecords.put({
        kind: 'drill',
        id,
        passed: true,
        point: id,
        finishedAt: id,
        faults: [],
      });
    },
    invoke: (key: string, event: unknown) => functions.invoke(key, event),
    close: async () => {
      await night.runtime.close();
      stub.restore();
      wiring.restore();
    },
  });
}
