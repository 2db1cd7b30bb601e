import { createHash } from 'node:crypto';
import { rdsDatabaseService } from '../../lib/aws/rds/rds-database-service.ts';
import { openTableStores } from '../../lib/aws/table/open-stores.ts';
import { consumers } from '../../lib/backup/cloud/consumers.ts';
import type { Heartbeat } from '../../lib/backup/cloud/heartbeat.ts';
import { currentPlace } from '../../lib/backup/cloud/records.ts';
import type { ReplicationFigures } from '../../lib/backup/cloud/replication.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import { reportPlace } from '../../lib/handler/report-place.ts';
import type { ConsumerReport } from '../../lib/ports/backup/consumers.ts';
import type { FailedReplication, RepairState } from '../../lib/ports/backup/replication-control.ts';
import type { TableService } from '../../lib/ports/backup/table-service.ts';
import type { ObjectBody } from '../../lib/ports/object-store.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { systemIds } from '../../lib/system/system-ids.ts';
import type { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';
import { openMemoryRetirement } from '../dynamodb/memory-retirement.ts';
import { type MemoryStores, openMemoryStores } from '../dynamodb/memory-stores.ts';
import { account, region } from '../fixtures/aws-base.ts';
import { objectStoreOf, testPorts } from '../fixtures/ports.ts';
import { aModel, aTenant } from '../fixtures/records.ts';
import { RdsStandIn } from './rds-stand-in.ts';
import { TablesStandIn } from './tables-stand-in.ts';

/** The region of the replicas, and its key. */
export const there = 'us-east-1';
export const replicaKey = `arn:aws:kms:${there}:${account}:key/replica`;
/** The database that is live. */
export const databaseId = 'embeddings-saas-db-dev';

/** What a restored database has of that region. */
const landing = {
  subnetGroup: 'landing',
  parameterGroup: 'landing-postgres15',
  securityGroups: ['sg-landing'],
  keyArn: replicaKey,
};

const minute = 60_000;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** What is written, once all of it was read. */
async function textOf(body: ObjectBody): Promise<string> {
  if (typeof body === 'string') return body;
  return Buffer.concat(body instanceof Uint8Array ? [body] : await Array.fromAsync(body)).toString();
}

/** Objects of a bucket in memory. */
function memoryObjects(objects: Map<string, string>) {
  return objectStoreOf({
    put: async (uri, body) => void objects.set(uri, await textOf(body)),
    delete: async (uri) => void objects.delete(uri),
    head: async (uri) => {
      const found = objects.get(uri);
      return found === undefined ? undefined : { uri, size: found.length, modifiedAt: 0 };
    },
    get: async (uri) => new TextEncoder().encode(objects.get(uri) ?? ''),
    stream: async function* (uri) {
      const found = objects.get(uri);
      if (found === undefined) throw new Error('there is no such object');
      yield new TextEncoder().encode(found);
    },
    list: async function* (prefix) {
      for (const uri of [...objects.keys()].sort())
        if (uri.startsWith(prefix)) yield { uri, size: objects.get(uri)?.length ?? 0, modifiedAt: 0 };
    },
  });
}

/** Two regions of an environment under virtual time: databases over the adapter of RDS, table, objects and their replication. */
export class RecoveryCloud {
  readonly rds: RdsStandIn;
  readonly home = new Map<string, string>();
  readonly replica = new Map<string, string>();
  /** What was measured last, by metric; milliseconds. */
  readonly durations = new Map<string, number>();
  readonly counted: { readonly name: string; readonly value: number; readonly dimensions: unknown }[] = [];
  /** What the live database holds of the heartbeat, and what each restored one has of it; none is reached where it is not set. */
  heartbeat: Heartbeat | undefined;
  restoredHeartbeat: () => Promise<Heartbeat | undefined> = async () => this.heartbeat;
  /** Buckets without versions, repairs that were begun by their tokens, and how they stand. */
  unversioned: string[] = [];
  readonly repairs: string[] = [];
  /** Failed replication that events told; undefined when they cannot be read. */
  told: FailedReplication[] | undefined = [];
  repair: RepairState = { state: 'running' };
  figures: ReplicationFigures = { latencySeconds: 30, pendingOperations: 0, failedOperations: 0 };
  readonly stores: MemoryStores;
  readonly tablesHome: TablesStandIn;
  readonly tablesThere: TablesStandIn;
  /** Functions that stand deployed in the other region. */
  readonly deployed = new Set<string>(consumers);
  /** Nothing of the home region answers. */
  homeIsLost = false;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    this.rds = new RdsStandIn(clock);
    this.stores = openMemoryStores({ clock });
    this.tablesHome = new TablesStandIn(region, clock, this.stores.dynamo);
    this.tablesThere = new TablesStandIn(there, clock, this.stores.dynamo);
    const home = this.rds.region(region);
    const away = this.rds.region(there);
    home.instances.set(databaseId, {
      DBInstanceIdentifier: databaseId,
      DBInstanceStatus: 'available',
      StorageEncrypted: true,
      BackupRetentionPeriod: 7,
      DBInstanceClass: 'db.t3.medium',
      MultiAZ: true,
      DeletionProtection: true,
      PubliclyAccessible: false,
      IAMDatabaseAuthenticationEnabled: true,
      CopyTagsToSnapshot: true,
      KmsKeyId: 'home',
      MasterUserSecret: {},
    });
    away.keys.add(replicaKey);
    for (const group of [landing.subnetGroup, landing.parameterGroup]) away.groups.add(group);
    this.followDatabase();
  }

  /** Automated backups of both regions reach to now less so many minutes in the other one. */
  followDatabase(behind = 12, status = 'replicating'): void {
    const until = (minutes: number) => ({
      EarliestTime: new Date(this.#clock.now() - 7 * 24 * 60 * minute),
      LatestTime: new Date(this.#clock.now() - minutes * minute),
    });
    this.rds.region(region).backups.set(databaseId, { Status: 'active', RestoreWindow: until(5) });
    this.rds.region(there).backups.set(databaseId, {
      Status: status,
      RestoreWindow: until(behind),
      KmsKeyId: replicaKey,
      DBInstanceAutomatedBackupsArn: `arn:aws:rds:${there}:${account}:auto-backup:ab-1`,
    });
  }

  /** A service of the home region, of which nothing is reached once that is lost. */
  #ofHome<T extends object>(service: T): T {
    return new Proxy(service, {
      get: (own, name) => {
        if (this.homeIsLost && name !== 'region')
          throw new Error(`${String(name)} was asked of the lost region`);
        const found: unknown = Reflect.get(own, name);
        return typeof found === 'function' ? (found.bind(own) as unknown) : found;
      },
    });
  }

  /** A deployed function says where it works, over the records that the small table names. */
  async #report(ports: Ports, name: string): Promise<ConsumerReport | undefined> {
    if (!this.deployed.has(name)) return undefined;
    const place = await ports.recoveryRecords.get('place', currentPlace);
    if (!place) throw new Error('no restore was promoted');
    const stores = this.storesOf(place.table);
    const objects = objectStoreOf({ put: async (uri, body) => void this.replica.set(uri, String(body)) });
    return reportPlace(name, {
      ...ports,
      place: { ...place, isCurrent: async () => true },
      recoveryRecords: stores.recoveryRecords,
      objects: name === 'loadTenants' ? objects : undefined,
    });
  }

  /** The stores of a deployment over a restored table. */
  storesOf(table: string) {
    const dynamo = this.tablesThere.made.get(table)?.dynamo;
    if (!dynamo) throw new Error(`there is no table ${table}`);
    return openTableStores({
      client: dynamo.client(1),
      tableName: table,
      clock: this.#clock,
      random: () => 0.5,
      ids: systemIds(this.#clock),
      tokenKeyArn: undefined,
      kms: async () => Promise.reject(new Error('No token is opened here.')),
    });
  }

  /** The ports of the functions of backups. */
  ports(recovery: object = {}): Ports {
    const clock = this.#clock;
    const file = readYaml('infra/config/dev.yml') as Record<string, object>;
    const config = loadConfig({
      file: { ...file, recovery: 'mode' in recovery ? recovery : { ...file['recovery'], ...recovery } },
      variables: {},
    });
    const bucket = `${config.dataBucket}-replica`;
    const ports: Ports = testPorts({
      ...this.stores,
      clock,
      config,
      objects: this.#ofHome({
        ...memoryObjects(this.home),
        put: async (uri: string, body: unknown) => {
          this.home.set(uri, String(body));
          this.replica.set(uri.replace(config.dataBucket, bucket), String(body));
        },
      }),
      metrics: {
        count: (name, value, dimensions) => this.counted.push({ name, value, dimensions }),
        duration: (name, milliseconds) => void this.durations.set(name, milliseconds),
      },
      databases: {
        id: databaseId,
        home: this.#ofHome(rdsDatabaseService(this.rds.client(region), region)),
        there: rdsDatabaseService(this.rds.client(there), there),
        keyArn: replicaKey,
        landing,
      },
      tables: {
        name: this.stores.dynamo.tableName,
        home: this.#ofHome<TableService>(this.tablesHome),
        there: this.tablesThere,
      },
      databaseHeartbeats: {
        live: {
          beat: async (heartbeat) => {
            this.heartbeat = heartbeat;
          },
          newest: async () => this.heartbeat,
        },
        restored: ({ host }) => ({
          beat: async () => Promise.reject(new Error('A restored database is only read.')),
          newest: async () =>
            host.endsWith(`.${there}.rds`) ? this.restoredHeartbeat() : Promise.reject(new Error(host)),
        }),
      },
      replicationControl: {
        unversioned: async () => this.unversioned,
        failures: async () => {
          if (!this.told) throw new Error('the queue is gone');
          return {
            failed: this.told,
            forget: async () => {
              this.told = [];
            },
          };
        },
        repair: async (token) => {
          this.repairs.push(token);
          return `job-${this.repairs.length}`;
        },
        repairState: async () => this.repair,
      },
      retirement: openMemoryRetirement(this.stores.dynamo, clock),
      replication: { figures: async () => this.figures },
      replica: { bucket, objects: memoryObjects(this.replica) },
      consumers: { names: consumers, report: (name) => this.#report(ports, name) },
    });
    return ports;
  }

  /** Registers and promotes a model whose objects are in both regions. */
  async train({ tenants, leases, models, config }: Ports, tenantId: string): Promise<string> {
    const documentsUri = `s3://${config.dataBucket}/${tenantId}/documents/`;
    await tenants.put(aTenant({ tenantId, documentsUri }), 0);
    const [model, index] = [`model of ${tenantId}`, `index of ${tenantId}`];
    const made = aModel({
      tenantId,
      modelUri: `s3://${config.dataBucket}/${tenantId}/runs/r/train/1/model.bin`,
      indexUri: `s3://${config.dataBucket}/${tenantId}/runs/r/index/1/index.faiss`,
      dataUri: `s3://${config.dataBucket}/${tenantId}/runs/r/prepare/1/`,
      cacheUri: `s3://${config.dataBucket}/${tenantId}/runs/r/cache/1/`,
      checksums: { model: sha256(model), index: sha256(index) },
    });
    const contents = {
      [made.modelUri]: model,
      [made.indexUri]: index,
      [made.indexUri.replace('index.faiss', 'ids.json')]: '[]',
      [`${made.dataUri}passages.jsonl`]: '{}',
      [`${made.cacheUri}entries.jsonl`]: '{}',
    };
    for (const [uri, content] of Object.entries(contents)) {
      this.home.set(uri, content);
      this.replica.set(uri.replace(config.dataBucket, `${config.dataBucket}-replica`), content);
    }
    await models.register(made);
    const { fence } = await leases.acquire({
      tenantId,
      holder: 'r',
      now: new Date(this.#clock.now()).toISOString(),
      expiresAt: new Date(this.#clock.now() + minute).toISOString(),
    });
    await models.promote({
      tenantId,
      modelVersion: made.modelVersion,
      fence,
      at: new Date(this.#clock.now()).toISOString(),
      reason: 'run',
    });
    return made.modelVersion;
  }
}
