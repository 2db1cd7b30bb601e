import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { currentPlace, type PlaceRecord } from '../../backup/cloud/records.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { ServingPlace } from '../../ports/ports.ts';
import type { AwsBase } from '../wiring/base.ts';
import { readRecord } from './recovery-records.ts';
import { Table } from './table.ts';

/** Milliseconds for which a process believes what it read. */
const believedMs = 30_000;

type Base = Pick<AwsBase, 'clients' | 'clock' | 'random' | 'ids'>;

function notPromoted(table: string): EpsilonError {
  return new EpsilonError(
    'NOT_PROMOTED',
    `No restore was promoted (${table} says nothing of where records go on): this region is idle and begins nothing.`,
    { exitCode: exitCodes.conflict },
  );
}

/**
 * Reads where records go on from the small table of the other region. Error: `NOT_PROMOTED` before the first promotion: an idle region
 * begins nothing.
 */
export async function servingPlace(
  { clients, clock, random, ids }: Base,
  tableName: string,
): Promise<ServingPlace> {
  const table = new Table({ client: clients.of(DynamoDBClient), tableName, clock, random, ids });
  const read = () => readRecord<PlaceRecord>(table, 'place', currentPlace);
  const found = await read();
  if (!found) throw notPromoted(tableName);
  const { epoch, table: records, bucket } = found;
  let readAt = clock.now();
  let current = true;
  return {
    epoch,
    table: records,
    bucket,
    isCurrent: async () => {
      if (!current || clock.now() - readAt < believedMs) return current;
      const now = await read();
      readAt = clock.now();
      current = now?.epoch === epoch && now.table === records;
      return current;
    },
  };
}
