import { type Durations, durationsFrom } from '../../capacity/durations.ts';
import { type NightFacts, type NightPlan, planNight } from '../../capacity/night-plan.ts';
import type { ServiceConfig } from '../../config/service-config.ts';
import type { RunStore } from '../../ports/run-store.ts';
import type { TenantStore } from '../../ports/tenant-store.ts';
import { type DueTenant, dueTenants } from '../../training/nights/due-tenants.ts';
import { dayBefore } from '../../training/nights/logical-date.ts';
import { isQuarantined, suspectStatuses, suspectsOf } from '../../training/nights/quarantine.ts';
import type { Run } from '../../training/run.ts';

/** What planning a night reads; nothing is written, so a forecast asks the same. */
export interface PlanningPorts {
  readonly tenants: Pick<TenantStore, 'list'>;
  readonly runs: Pick<RunStore, 'listRuns'>;
  readonly config: ServiceConfig;
}

/** A night that is planned and not begun. */
export interface PlannedNight extends NightPlan {
  /** In the order of the night. */
  readonly due: readonly DueTenant[];
  readonly quarantined: readonly string[];
}

/** Nights that are looked back for durations. */
const nightsBack = 7;

/** Share of the due tenants whose durations are to be known before no older night is read. */
const knownEnough = 0.9;

/** Tenants that failed night after night: the failures of the last night are few, so only theirs are looked into. */
async function quarantined(
  { runs }: PlanningPorts,
  failed: readonly Run[],
  { date, tenants }: { readonly date: string; readonly tenants: number },
): Promise<Set<string>> {
  const found = new Set<string>();
  for (const tenantId of suspectsOf(failed, tenants))
    if (isQuarantined(await runs.listRuns({ tenantId, limit: 50 }), date)) found.add(tenantId);
  return found;
}

/** What tenants' stages took on the newest nights before a date, read night by night until most are known. */
async function durationsBefore(
  { runs }: PlanningPorts,
  date: string,
  { newest, tenantIds }: { readonly newest: readonly Run[]; readonly tenantIds: readonly string[] },
): Promise<Durations> {
  const found = [...newest];
  for (let [back, day] = [1, dayBefore(date)]; back < nightsBack; back += 1) {
    const durations = durationsFrom(found);
    const known = tenantIds.filter((tenantId) => durations.isMeasured(tenantId)).length;
    if (known >= tenantIds.length * knownEnough) return durations;
    day = dayBefore(day);
    found.push(...(await runs.listRuns({ logicalDate: day })));
  }
  return durationsFrom(found);
}

const iso = (at: number) => new Date(at).toISOString();

/** What a night of a logical date that begins at `now` (milliseconds) is planned by, and who goes last because of earlier failures. */
export async function nightFacts(
  ports: PlanningPorts,
  { logicalDate, now }: { readonly logicalDate: string; readonly now: number },
): Promise<{ readonly facts: NightFacts; readonly last: ReadonlySet<string> }> {
  const all = await ports.tenants.list();
  const newest = await ports.runs.listRuns({ logicalDate: dayBefore(logicalDate) });
  const suspect: ReadonlySet<string> = new Set(suspectStatuses);
  const failed = newest.filter(({ status }) => suspect.has(status));
  const last = await quarantined(ports, failed, { date: logicalDate, tenants: all.length });
  const due = dueTenants(all, await ports.runs.listRuns({ logicalDate }), logicalDate);
  const tenantIds = due.map(({ tenantId }) => tenantId);
  const durations = await durationsBefore(ports, logicalDate, { newest, tenantIds });
  return { facts: { due, last, durations, config: ports.config, now }, last };
}

/** Plans the night of a logical date as if it began at `now` (milliseconds): whom it trains, in which order, and what comes of it. */
export async function planDueTenants(
  ports: PlanningPorts,
  { logicalDate, now }: { readonly logicalDate: string; readonly now: number },
): Promise<PlannedNight> {
  const { facts, last } = await nightFacts(ports, { logicalDate, now });
  const plan = planNight(facts);
  return {
    ...plan,
    quarantined: [...last],
    due: plan.order.map((tenantId) => {
      const [deadline, spotUntil] = [plan.deadlines.get(tenantId), plan.spotUntil.get(tenantId)];
      return {
        tenantId,
        logicalDate,
        plan: {
          ...(deadline === undefined ? {} : { deadline: iso(deadline) }),
          ...(spotUntil === undefined ? {} : { spotUntil: iso(spotUntil) }),
        },
      };
    }),
  };
}
