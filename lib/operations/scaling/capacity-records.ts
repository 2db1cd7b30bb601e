import { z } from 'zod';
import type { ServiceConfig } from '../../config/service-config.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { CapacityOverride } from '../../scaling/decide.ts';
import type { GroupRecord } from '../../scaling/groups.ts';
import { readRecord } from '../objects/read-record.ts';

/** Where records of capacity are kept: objects, one for each group. */
export interface RecordPorts {
  readonly objects: Pick<ObjectStore, 'get' | 'put'>;
  readonly config: Pick<ServiceConfig, 'dataBucket'>;
}

const groupSchema = z.object({
  group: z.string(),
  low: z.number(),
  high: z.number(),
  expiresAt: z.iso.datetime(),
  because: z.string(),
});

const placeOf = ({ config }: RecordPorts, name: string) => `s3://${config.dataBucket}/scaling/${name}.json`;

/** A record by its name; undefined while there is none. Error: `SCALING_RECORD_INVALID`. */
const read = <T>(ports: RecordPorts, name: string, schema: z.ZodType<T>): Promise<T | undefined> =>
  readRecord(ports, {
    uri: placeOf(ports, name),
    schema,
    code: 'SCALING_RECORD_INVALID',
    what: 'record of capacity',
  });

/** What was last set of a group. */
export function readGroup(ports: RecordPorts, group: string): Promise<GroupRecord | undefined> {
  return read(ports, `groups/${group}`, groupSchema);
}

/** Replaces the record of a group. Records are never deleted: one that is over says nothing, whoever writes late. */
export async function writeGroup(ports: RecordPorts, record: GroupRecord): Promise<void> {
  await ports.objects.put(placeOf(ports, `groups/${record.group}`), JSON.stringify(record), {
    contentType: 'application/json',
  });
}

const overrideSchema = z.object({
  minReplicas: z.int().min(1),
  reason: z.string(),
  decidedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});

/** What an operator last set instead of the plan, also when that is over. */
export function readOverride(ports: RecordPorts): Promise<CapacityOverride | undefined> {
  return read(ports, 'override', overrideSchema);
}

/** Replaces what an operator set. */
export async function writeOverride(ports: RecordPorts, override: CapacityOverride): Promise<void> {
  await ports.objects.put(placeOf(ports, 'override'), JSON.stringify(override), {
    contentType: 'application/json',
  });
}
