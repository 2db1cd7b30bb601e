import { modelsToForget, runsToForget } from '../../backup/record-retention.ts';
import { inParallel } from '../../concurrency/in-parallel.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { required } from './required.ts';

type Needed = Pick<Ports, 'tenants' | 'runs' | 'models' | 'retirement' | 'config' | 'clock' | 'log'>;

/** Tenants that are looked at side by side. */
const atOnce = 8;

/** What a pass forgot, and the tenants that it had no time for. */
export interface RecordsPruned {
  readonly models: number;
  readonly runs: number;
  readonly left: number;
}

async function pruneTenant(ports: Needed, tenantId: string): Promise<Omit<RecordsPruned, 'left'>> {
  const { runs, models, config, clock } = ports;
  const { recovery, dataBucket } = config;
  if (recovery.mode === 'off') return { models: 0, runs: 0 };
  const retirement = required(ports.retirement);
  const at = isoNow(clock);
  const prefixOf = (runId: string) => `${dataBucket}/${tenantId}/runs/${runId}/`;
  const live = await models.live(tenantId);
  const listed = await models.list(tenantId);
  const gone = new Set<string>();
  for (const model of modelsToForget(listed, live ? [live] : [], recovery.retention)) {
    const decidedOn = { live, prefix: prefixOf(model.runId), at };
    // Somebody switches models now: the next night decides anew.
    if (!(await retirement.forgetModel(model, decidedOn))) break;
    gone.add(model.modelVersion);
  }
  const left = listed.filter(({ modelVersion }) => !gone.has(modelVersion));
  let forgotten = 0;
  for (const run of runsToForget(await runs.listRuns({ tenantId }), left, recovery.retention, clock.now()))
    if (await retirement.forgetRun(run, { prefix: prefixOf(run.runId), at })) forgotten += 1;
  return { models: gone.size, runs: forgotten };
}

/**
 * Takes models and runs off the record whose time is over, and retires what they named; no object goes here. What there is no time for
 * is left to the next pass. It can be done again.
 */
export async function pruneRecords(ports: Needed, hasTime: () => boolean): Promise<RecordsPruned> {
  const pruned = { models: 0, runs: 0, left: 0 };
  const tenants = await ports.tenants.list();
  await inParallel(tenants, atOnce, async ({ tenantId }) => {
    if (!hasTime()) {
      pruned.left += 1;
      return;
    }
    const { models, runs } = await pruneTenant(ports, tenantId);
    pruned.models += models;
    pruned.runs += runs;
  });
  ports.log.info('records pruned', { ...pruned });
  return pruned;
}
