import type { JobSpec } from '../../lib/training/attempts/job.ts';
import { isStage } from '../../lib/training/stages.ts';
import { type Fate, openNight } from '../night/harness.ts';
import { epochs, hour, type MarketSettings, SpotMarket, startup, workOf } from './spot-market.ts';

/**
 * A small night over the real machines, handlers, stores and reconciler, under virtual time: the same market as the
 * simulation's, only the jobs are scripted.
 */
export async function machineNight(
  seed: number,
  settings: MarketSettings,
  tenants: number,
): Promise<Record<string, unknown>> {
  const night = await openNight({ variables: { EPSILON_TRAINING_MAX_CONCURRENCY: String(tenants) } });
  const market = new SpotMarket(seed, settings);
  const works = new Map(workOf(seed, tenants).map((work) => [work.tenantId, work]));
  const saved = new Map<string, number>();
  const began = night.clock.now();
  let [needed, lost] = [0, 0];
  night.jobs.fate = (spec: JobSpec): Fate => {
    const work = works.get(spec.tenantId);
    if (!work || !isStage(spec.stage)) return {};
    const now = night.clock.now() - began;
    const key = `${spec.tenantId}/${spec.stage}`;
    const total = work.stages[spec.stage];
    if (spec.attempt === 1) needed += total * spec.resources.cpu;
    const from = spec.capacity === 'spot' ? market.placeableFrom(now) : now;
    const waits = from > now ? { pendingSeconds: (from - now) / 1000 } : {};
    const before = saved.get(key) ?? 0;
    const takes = startup + total - before;
    const reclaim = spec.capacity === 'spot' ? market.nextReclaim(work.run, from) : undefined;
    if (!reclaim || reclaim.at >= from + takes) return { ...waits, seconds: takes / 1000 };
    const reached = before + Math.max(0, reclaim.at - from - startup);
    const epoch = total / epochs;
    const kept = reclaim.notice ? reached : Math.max(before, Math.floor(reached / epoch) * epoch);
    saved.set(key, spec.stage === 'train' ? kept : 0);
    lost += (reached - (saved.get(key) ?? 0)) * spec.resources.cpu;
    const seconds = (reclaim.at - from) / 1000;
    return reclaim.notice
      ? { ...waits, seconds, exitCode: 143, reason: 'preempted' }
      : { ...waits, seconds, vanish: true };
  };
  await night.add(...works.keys());
  const arn = await night.fire();
  const end = await night.until(arn);
  const runs = await night.runtime.control.runs.listRuns({});
  const attempts = (
    await Promise.all(runs.map(({ runId }) => night.runtime.control.runs.listAttempts(runId)))
  ).flat();
  const count = (test: (one: (typeof attempts)[number]) => boolean) => attempts.filter(test).length;
  const figures = {
    tenants,
    ...settings,
    status: end.status,
    hours: (night.clock.now() - began) / hour,
    attempts: attempts.length,
    preempted: count(({ reason }) => reason === 'preempted'),
    lostWithoutNotice: count(({ status }) => status === 'lost'),
    unplaceable: count(({ reason }) => reason === 'unplaceable'),
    onDemand: count(({ capacity }) => capacity === 'on-demand'),
    usersRetriesSpent: count(({ error }) => error === 'JobFailed'),
    runsFailed: runs.filter(({ status }) => status !== 'succeeded').length,
    workLost: lost / needed,
  };
  if (night.faults[0]) throw night.faults[0];
  await night.runtime.close();
  return figures;
}
