import type { ObjectsFound } from '../../backup/cloud/records.ts';
import { pointersOf } from '../../backup/pointers.ts';
import { inParallel } from '../../concurrency/in-parallel.ts';
import { parseObjectUri } from '../../objects/object-uri.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import type { ModelVersion } from '../../training/models/model.ts';
import { digestOf } from './content.ts';
import { mendReplica } from './mend-replica.ts';
import { required } from './required.ts';

type Needed = Pick<
  Ports,
  'tenants' | 'models' | 'objects' | 'replica' | 'recoveryRecords' | 'config' | 'clock' | 'log'
>;

/** Tenants that are looked at side by side. */
const atOnce = 8;

const isDigest = (text: string | undefined) => /^[0-9a-f]{64}$/.test(text ?? '');

/** Counts of a pass; the tenants that it had no time for are left to the next. */
interface Tally {
  named: number;
  read: number;
  bytes: number;
  left: number;
  readonly mended: string[];
  readonly faults: string[];
}

/** What an object is to be, where its record has it. */
interface Expected {
  readonly sha256: string;
  /** URI of the source. */
  readonly from: string;
}

/** Maps an object of the data bucket to its replica: the one place that knows. */
export function replicaUri(
  pointer: string,
  { dataBucket }: { readonly dataBucket: string },
  bucket: string,
): string {
  const at = pointer.indexOf('/');
  const from = pointer.slice(0, at);
  return `s3://${from === dataBucket ? bucket : from}${pointer.slice(at)}`;
}

/** Reads one object at the destination to its end. One that differs from its record is replaced by the source's, and read again. */
async function readWhole(ports: Needed, uri: string, tally: Tally, expected?: Expected): Promise<void> {
  const { objects } = required(ports.replica);
  const read = async () => {
    const { sha256, bytes } = await digestOf(objects.stream(uri));
    tally.read += 1;
    tally.bytes += bytes;
    return expected === undefined || sha256 === expected.sha256;
  };
  try {
    if ((await read()) || expected === undefined) return;
    const why = await mendReplica(ports, { ...expected, to: uri });
    if (why === undefined && (await read())) tally.mended.push(uri);
    else tally.faults.push(`${uri} differs from its record and was not replaced: ${why ?? 'it still does'}`);
  } catch (error) {
    tally.faults.push(`${uri}: ${(error as Error).message}`);
  }
}

/** Reads what a pointer names; below a prefix, every object. */
async function readPointer(ports: Needed, pointer: string, tally: Tally, sha256?: string): Promise<void> {
  const { bucket, objects } = required(ports.replica);
  const uri = replicaUri(pointer, ports.config, bucket);
  tally.named += 1;
  if (!pointer.endsWith('/'))
    return readWhole(
      ports,
      uri,
      tally,
      sha256 === undefined ? undefined : { sha256, from: `s3://${pointer}` },
    );
  let found = 0;
  for await (const object of objects.list(uri)) {
    found += 1;
    await readWhole(ports, object.uri, tally);
  }
  if (found === 0) tally.faults.push(`${uri}: nothing is there`);
}

async function readModel(ports: Needed, model: ModelVersion, tally: Tally): Promise<void> {
  const keyOf = (uri: string) => {
    const { bucket, key } = parseObjectUri(uri);
    return `${bucket}/${key}`;
  };
  const expected = new Map([
    [keyOf(model.modelUri), model.checksums['model']],
    [keyOf(model.indexUri), model.checksums['index']],
  ]);
  for (const pointer of pointersOf([model])) {
    const digest = expected.get(pointer);
    await readPointer(ports, pointer, tally, isDigest(digest) ? digest : undefined);
  }
}

/** Reads the live model of a tenant and the one before it, unless an earlier pass did and found them whole. */
async function readTenant(
  ports: Needed,
  tenantId: string,
  tally: Tally,
  hasTime: () => boolean,
): Promise<void> {
  const { models, recoveryRecords, clock } = ports;
  const live = await models.live(tenantId);
  if (!live) return;
  const { modelVersion, previousVersion } = live;
  const known = await recoveryRecords.get('replicated', tenantId);
  if (known?.modelVersion === modelVersion) return;
  if (!hasTime()) {
    tally.left += 1;
    return;
  }
  const before = tally.faults.length;
  for (const version of [modelVersion, previousVersion]) {
    const model = version === undefined ? undefined : await models.get(tenantId, version);
    if (model) await readModel(ports, model, tally);
  }
  if (tally.faults.length === before)
    await recoveryRecords.put({ kind: 'replicated', id: tenantId, modelVersion, at: isoNow(clock) });
}

/**
 * Reads at the destination what live and previous models name, by checksum where their records have one. What metrics say of
 * replication is an estimate; this is what a restore would find. A model that was found whole is not read again. An object that
 * differs from its record is replaced by the source's where that does not.
 */
export async function readReplicas(ports: Needed, hasTime: () => boolean): Promise<ObjectsFound> {
  const tally: Tally = { named: 0, read: 0, bytes: 0, left: 0, mended: [], faults: [] };
  const tenants = await ports.tenants.list();
  await inParallel(tenants, atOnce, ({ tenantId }) => readTenant(ports, tenantId, tally, hasTime));
  return { ...tally, mended: tally.mended.sort(), faults: tally.faults.sort() };
}
