import { randomBytes } from 'node:crypto';
import { openTableAuditLog, openTableStores, type TableStores } from '../../lib/aws/table/open-stores.ts';
import type { KeyService } from '../../lib/aws/table/token-keys.ts';
import type { AuditLog } from '../../lib/ports/audit-log.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { SystemClock } from '../../lib/system/system-clock.ts';
import { systemIds } from '../../lib/system/system-ids.ts';
import { MemoryDynamoDb } from './memory-dynamodb.ts';
import { tableSchema } from './table-schema.ts';

/** A key service without KMS: wrapping is turning the bytes round. Counts its calls. */
export class MemoryKeys implements KeyService {
  readonly calls: ('generate' | 'unwrap')[] = [];

  async generate() {
    this.calls.push('generate');
    const key = new Uint8Array(randomBytes(32));
    return { key, wrapped: key.toReversed() };
  }

  async unwrap(wrapped: Uint8Array) {
    this.calls.push('unwrap');
    return wrapped.toReversed();
  }
}

/** The stores of one process, the audit log among them. */
export type AuditedStores = TableStores & { readonly audit: AuditLog };

/** The stores over a DynamoDB in memory. */
export interface MemoryStores extends AuditedStores {
  readonly dynamo: MemoryDynamoDb;
  readonly keys: MemoryKeys;
  /** The stores of another process over the same table. */
  another(): AuditedStores;
}

/** Opens an empty table. */
export function openMemoryStores({
  clock = new SystemClock(),
  maxAttempts = 4,
}: {
  readonly clock?: Clock;
  readonly maxAttempts?: number;
} = {}): MemoryStores {
  const dynamo = new MemoryDynamoDb('epsilon-test', tableSchema);
  const keys = new MemoryKeys();
  const open = (): AuditedStores => {
    const options = {
      client: dynamo.client(maxAttempts),
      tableName: dynamo.tableName,
      clock,
      random: () => 0.5,
      ids: systemIds(clock),
      tokenKeyArn: 'arn:aws:kms:us-west-2:123456789012:key/tokens',
      kms: async () => keys,
    };
    return { ...openTableStores(options), audit: openTableAuditLog(options) };
  };
  return { ...open(), dynamo, keys, another: open };
}
