import { openTableRecords } from '../../lib/aws/table/restored-records.ts';
import type { ContinuousBackup } from '../../lib/backup/cloud/resources.ts';
import type { RestoredTable } from '../../lib/backup/cloud/restored-table.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { ResourceBusy } from '../../lib/errors/recovery-errors.ts';
import type { TableService } from '../../lib/ports/backup/table-service.ts';
import { systemIds } from '../../lib/system/system-ids.ts';
import type { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { MemoryDynamoDb } from '../dynamodb/memory-dynamodb.ts';
import { tableSchema } from '../dynamodb/table-schema.ts';

const minute = 60_000;

interface Made extends Omit<RestoredTable, 'name' | 'arn' | 'items'> {
  readonly dynamo: MemoryDynamoDb;
}

/** Tables of a region under virtual time; what is restored has the items of the one it is made of, and none of its settings. */
export class TablesStandIn implements TableService {
  readonly region: string;
  readonly made = new Map<string, Made>();
  /** What is different about the continuous backups of the live table; undefined when there is no table. */
  found: Partial<ContinuousBackup> | undefined = {};
  /** Happens to the records of a table when it has been restored. */
  onRestored: (dynamo: MemoryDynamoDb) => void = () => {};
  minutes = 30;
  readonly #clock: VirtualClock;
  readonly #live: MemoryDynamoDb;

  constructor(region: string, clock: VirtualClock, live: MemoryDynamoDb) {
    this.region = region;
    this.#clock = clock;
    this.#live = live;
  }

  async continuousBackup(): Promise<ContinuousBackup | undefined> {
    if (!this.found) return undefined;
    const newest = new Date(this.#clock.now() - 5 * minute).toISOString();
    return { arn: 'live', status: 'active', oldest: '2026-10-20T00:00:00.000Z', newest, ...this.found };
  }

  async table(name: string): Promise<RestoredTable | undefined> {
    const found = this.made.get(name);
    return found && { ...found, name, arn: `arn:${name}`, items: found.dynamo.table.all().length };
  }

  async restore({ name }: { readonly name: string }): Promise<void> {
    if (this.made.has(name)) throw new EpsilonError('RESTORE_TARGET_NOT_EMPTY', `${name} is there.`);
    const dynamo = new MemoryDynamoDb(name, tableSchema);
    for (const item of this.#live.table.all()) dynamo.table.put(item, {})();
    const empty = { recoverable: false, deletionProtection: false, tags: {} };
    this.made.set(name, { dynamo, status: 'CREATING', ...empty });
    this.#clock.setTimer(this.minutes * minute, () => {
      if (!this.made.has(name)) return;
      this.made.set(name, { dynamo, status: 'ACTIVE', ...empty });
      this.onRestored(dynamo);
    });
  }

  async protect(
    name: string,
    request: { readonly deletionProtection: boolean; readonly tags: Readonly<Record<string, string>> },
  ): Promise<void> {
    const found = this.made.get(name);
    if (found) this.made.set(name, { ...found, ...request, ttlAttribute: 'ttl', recoverable: true });
  }

  async remove(name: string): Promise<void> {
    if (this.made.get(name)?.status === 'CREATING') throw new ResourceBusy(`${name} is CREATING`);
    if (this.made.get(name)?.deletionProtection) throw new Error(`${name} is protected`);
    this.made.delete(name);
  }

  stores(tableName: string) {
    const dynamo = this.made.get(tableName)?.dynamo ?? this.#live;
    const clock = this.#clock;
    const ids = systemIds(clock);
    return openTableRecords({
      client: dynamo.client(1),
      tableName: dynamo.tableName,
      clock,
      random: () => 0.5,
      ids,
    });
  }
}
