import { SystemClock } from '../../../../lib/system/system-clock.ts';
import { describeAuditLog } from '../../../contract/audit-log.ts';
import { recoveryRecordsContract } from '../../../contract/recovery-records.ts';
import { describeReleaseRecords } from '../../../contract/release-records.ts';
import { retirementContract } from '../../../contract/retirement.ts';
import { describeRunStore } from '../../../contract/run-store.ts';
import { describeTenantStores } from '../../../contract/tenant-stores.ts';
import { openMemoryRetirement } from '../../../dynamodb/memory-retirement.ts';
import { openMemoryStores } from '../../../dynamodb/memory-stores.ts';

describeRunStore('DynamoDB', async () => openMemoryStores());
describeTenantStores('DynamoDB', async () => openMemoryStores());

describeReleaseRecords('DynamoDB', async () => openMemoryStores().releases);
describeAuditLog('DynamoDB', async () => openMemoryStores());
recoveryRecordsContract('DynamoDB', () => openMemoryStores().recoveryRecords);
retirementContract('DynamoDB', () => {
  const stores = openMemoryStores();
  return { ...stores, retirement: openMemoryRetirement(stores.dynamo, new SystemClock()) };
});
