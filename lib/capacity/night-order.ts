import { createHash } from 'node:crypto';
import type { RunPlan } from './run-plan.ts';

/** Latest moment at which a run has to begin to be on time. */
const latest = ({ deadline, seconds }: RunPlan) => deadline - seconds;

const byName = (a: RunPlan, b: RunPlan) => (a.tenantId < b.tenantId ? -1 : a.tenantId > b.tenantId ? 1 : 0);

/** A number from 0 to 1 that belongs to a tenant. */
const drawnFor = (tenantId: string) =>
  createHash('sha256').update(tenantId).digest().readUInt32BE(0) / 2 ** 32;

/**
 * Each run at a moment that is drawn before its latest beginning. Long and short ones are mixed, so that not everybody trains at
 * the same time and waits for the same vCPUs, and yet no long one is left to the end.
 */
function mixed(plans: readonly RunPlan[], horizon: number): (a: RunPlan, b: RunPlan) => number {
  const moments = new Map(
    plans.map((run) => {
      const window = Math.max(0, Math.min(run.deadline, horizon) - run.seconds);
      return [run.tenantId, drawnFor(run.tenantId) * window];
    }),
  );
  return (a, b) => (moments.get(a.tenantId) ?? 0) - (moments.get(b.tenantId) ?? 0);
}

/**
 * Orders in which a night may begin its runs; whichever keeps most deadlines is taken, of those the one that ends first, of equals the
 * first. By priority or not, and within it whoever has to begin soonest (of one deadline the longest run), or long and short mixed;
 * each also with those last who cannot be on time any more. `horizon`: seconds that the work takes at least. The same
 * input gives the same orders, so that a second delivery writes the same list.
 */
export function ordersOf(plans: readonly RunPlan[], last: ReadonlySet<string>, horizon: number): RunPlan[][] {
  const inQuarantine = ({ tenantId }: RunPlan) => Number(last.has(tenantId));
  const isTooLate = (run: RunPlan) => Number(latest(run) < 0);
  const byPriority = (a: RunPlan, b: RunPlan) => b.priority - a.priority;
  const byNeed = (a: RunPlan, b: RunPlan) => latest(a) - latest(b);
  const byDraw = mixed(plans, horizon);
  const lateLast = (a: RunPlan, b: RunPlan) => isTooLate(a) - isTooLate(b);
  const order = (...rules: ((a: RunPlan, b: RunPlan) => number)[]) =>
    [...plans].sort((a, b) => {
      for (const rule of [(x: RunPlan, y: RunPlan) => inQuarantine(x) - inQuarantine(y), ...rules, byName]) {
        const found = rule(a, b);
        if (found !== 0) return found;
      }
      return 0;
    });
  const ways = [[byPriority, byNeed], [byNeed, byPriority], [byPriority, byDraw], [byDraw]];
  const all = plans.some(isTooLate) ? [...ways, ...ways.map((rules) => [lateLast, ...rules])] : ways;
  return all.map((rules) => order(...rules));
}
