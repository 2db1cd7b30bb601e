import { type CloudDrill, cloudDrillKey } from '../../backup/cloud/drill.ts';
import type { RestoreRecord } from '../../backup/cloud/records.ts';
import type { Ports } from '../../ports/ports.ts';
import { required } from './required.ts';

type Needed = Pick<Ports, 'databases' | 'replica' | 'config'>;

/** What is known of a drill's end besides its restore. */
export interface DrillEnd {
  /** `<region>/<kind>/<id>` of each restored store, and when it was as it was to be. */
  readonly stores: readonly { readonly resource: string; readonly at?: string | undefined }[];
  readonly removedAt: string;
  readonly error?: string;
}

/** Account of an ARN. */
const accountOf = (arn: string) => arn.split(':')[4] ?? '';

/**
 * Keeps what a drill did as an object in the other region, where the verdict is computed from it (`judgeCloudDrill`), and gives its URI. A
 * repeated call writes the same object.
 */
export async function keepDrill(ports: Needed, record: RestoreRecord, end: DrillEnd): Promise<string> {
  const { bucket, objects } = required(ports.replica);
  const { environment } = ports.config;
  const at = (kind: 'db' | 'table') => end.stores.find(({ resource }) => resource.includes(`/${kind}/`))?.at;
  const { databaseAt, tableAt } = { databaseAt: at('db'), tableAt: at('table') };
  const drill: CloudDrill = {
    schemaVersion: 1,
    id: record.id,
    environment,
    account: accountOf(required(ports.databases).keyArn),
    region: record.target.region,
    verifiedBy: `epsilon-${environment}-verifyRestore`,
    point: record.point,
    times: {
      declaredAt: record.beganAt,
      ...(databaseAt === undefined ? {} : { databaseAt }),
      ...(tableAt === undefined ? {} : { tableAt }),
      ...(record.verifiedAt === undefined ? {} : { verifiedAt: record.verifiedAt }),
      removedAt: end.removedAt,
    },
    acknowledged: { ...record.heartbeats?.acknowledged },
    restored: { ...record.heartbeats?.restored },
    checks: (record.checks ?? []).map(({ name, count, faults }) => ({ name, count, faults: [...faults] })),
    bytesRead: record.bytesRead ?? 0,
    ...(end.error === undefined ? {} : { error: end.error }),
  };
  const uri = `s3://${bucket}/${cloudDrillKey(drill)}`;
  await objects.put(uri, JSON.stringify(drill), { contentType: 'application/json' });
  return uri;
}
