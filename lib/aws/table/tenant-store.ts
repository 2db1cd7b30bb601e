import { ConditionFailed } from '../../errors/store-errors.ts';
import type { TenantStore } from '../../ports/tenant-store.ts';
import { absent, compare, type Part } from './expressions.ts';
import { tenantKeys, tenantsPartition } from './keys.ts';
import { tenantForm } from './records.ts';
import { partitionIs, type Table } from './table.ts';
import type { Item } from './table-errors.ts';
import type { TransactionPart } from './transact-item.ts';

const isAtVersion = (version: number): Part =>
  version === 0 ? absent('pk') : compare('version', '=', version);

function conflict(tenantId: string, expected: number, item: Item | undefined): ConditionFailed {
  const found = Number(item?.['version'] ?? 0);
  return new ConditionFailed(`tenant ${tenantId} is at version ${found}, not ${expected}`, {
    found,
    expected,
  });
}

/** Tenants in the table; the list of all changes together with the first and the last version of a tenant. */
export function tableTenantStore(table: Table): TenantStore {
  async function written(
    parts: readonly TransactionPart[],
    tenantId: string,
    expectedVersion: number,
  ): Promise<void> {
    const refusals = await table.transact(parts);
    if (refusals) throw conflict(tenantId, expectedVersion, refusals[0]?.item);
  }

  return {
    get: async (tenantId) => {
      const item = await table.get(tenantKeys.record(tenantId));
      return item ? tenantForm.read(item) : undefined;
    },
    list: async () => {
      const listed = await table.query({ partition: partitionIs(tenantsPartition) });
      const items = await table.getMany(listed.map(({ sk }) => tenantKeys.record(String(sk))));
      return items.map((item) => tenantForm.read(item));
    },
    put: async (tenant, expectedVersion) => {
      const { tenantId } = tenant;
      const record = tenantForm.write({ ...tenant, version: expectedVersion + 1 });
      const item = { ...tenantKeys.record(tenantId), ...record };
      const condition = isAtVersion(expectedVersion);
      if (expectedVersion === 0) {
        await written([{ put: item, condition }, { put: { ...tenantKeys.listed(tenantId) } }], tenantId, 0);
        return;
      }
      const { done, item: there } = await table.put(item, condition);
      if (!done) throw conflict(tenantId, expectedVersion, there);
    },
    remove: (tenantId, expectedVersion) =>
      written(
        [
          { remove: tenantKeys.record(tenantId), condition: isAtVersion(expectedVersion) },
          { remove: tenantKeys.listed(tenantId) },
        ],
        tenantId,
        expectedVersion,
      ),
  };
}
