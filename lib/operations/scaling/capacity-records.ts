import { z } from 'zod';
import type { ServiceConfig } from '../../config/service-config.ts';
import { checkSchema } from '../../errors/check-schema.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { CapacityOverride } from '../../scaling/decide.ts';
import type { GroupRecord } from '../../scaling/groups.ts';

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
async function read<T>(ports: RecordPorts, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const place = placeOf(ports, name);
  let bytes: Uint8Array;
  try {
    bytes = await ports.objects.get(place);
  } catch (error) {
    if (error instanceof EpsilonError && error.code === 'OBJECT_NOT_FOUND') return undefined;
    throw error;
  }
  const invalid = () =>
    new EpsilonError('SCALING_RECORD_INVALID', `${place} is no record of capacity; delete it to go on.`, {
      exitCode: exitCodes.backend,
      details: { place },
    });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw invalid();
  }
  const checked = checkSchema(schema, value);
  if (checked.success) return checked.data;
  throw invalid();
}

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
