import { memoryRecoveryRecords } from '../../../local/adapters/recovery-ports.ts';
import { recoveryRecordsContract } from '../../contract/recovery-records.ts';

recoveryRecordsContract('memory', memoryRecoveryRecords);
