import { describeRunStore } from '../contract/run-store.ts';
import { describeTenantStores } from '../contract/tenant-stores.ts';
import { openRecords } from './memory-stores.ts';

// The explorer's findings count because its stores do what SQLite and DynamoDB do.
describeRunStore('memory', async () => openRecords());
describeTenantStores('memory', async () => openRecords());
