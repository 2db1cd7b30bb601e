import { describeAuditLog } from '../../../contract/audit-log.ts';
import { recoveryRecordsContract } from '../../../contract/recovery-records.ts';
import { describeReleaseRecords } from '../../../contract/release-records.ts';
import { describeRunStore } from '../../../contract/run-store.ts';
import { describeTenantStores } from '../../../contract/tenant-stores.ts';
import { openMemoryStores } from '../../../dynamodb/memory-stores.ts';

describeRunStore('DynamoDB', async () => openMemoryStores());
describeTenantStores('DynamoDB', async () => openMemoryStores());

describeReleaseRecords('DynamoDB', async () => openMemoryStores().releases);
describeAuditLog('DynamoDB', async () => openMemoryStores());
recoveryRecordsContract('DynamoDB', () => openMemoryStores().recoveryRecords);
