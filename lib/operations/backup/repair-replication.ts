import type { RepairRecord } from '../../backup/cloud/records.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { required } from './required.ts';

type Needed = Pick<Ports, 'replicationControl' | 'recoveryRecords' | 'clock' | 'log' | 'metrics'>;

/** Milliseconds between two repairs: each reads the whole list of the bucket, and costs by its objects. */
const pauseMs = 6 * 3_600_000;

/** Brings the newest repair on record up to date; undefined when there was none. */
async function newestRepair(ports: Needed): Promise<RepairRecord | undefined> {
  const { recoveryRecords, log } = ports;
  const [last] = await recoveryRecords.newest('repair', 1);
  if (last?.state !== 'running') return last;
  const found = await required(ports.replicationControl).repairState(last.jobId);
  if (found.state === 'running') return last;
  const ended: RepairRecord = { ...last, ...found };
  await recoveryRecords.put(ended);
  const isWhole = found.state === 'done' && (found.failed ?? 0) === 0;
  log[isWhole ? 'info' : 'error']('replication repaired', { ...ended });
  return ended;
}

/**
 * Repairs the replication of objects when something is wrong with it: what S3 could not copy, or never tried, is copied again, at most
 * every six hours and never twice at a time. Gives the repair that was begun; undefined when none was.
 */
export async function repairReplication(ports: Needed, isNeeded: boolean): Promise<RepairRecord | undefined> {
  const { recoveryRecords, clock, log, metrics } = ports;
  const last = await newestRepair(ports);
  if (!isNeeded || last?.state === 'running') return undefined;
  if (last && clock.now() - Date.parse(last.id) < pauseMs) return undefined;
  const id = isoNow(clock);
  // The hour is the token: who comes twice finds what the first one began.
  const jobId = await required(ports.replicationControl).repair(`epsilon-${id.slice(0, 13)}`);
  const begun: RepairRecord = { kind: 'repair', id, jobId, state: 'running' };
  await recoveryRecords.put(begun);
  metrics.count('ReplicationRepairs', 1);
  log.warn('replication repair begun', { jobId });
  return begun;
}
