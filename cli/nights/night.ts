import { findMachine } from '../../lib/machines/catalogue.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionDetail } from '../../lib/ports/workflows.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import { dateOf } from '../watch/watch.ts';

const counted = (count: number, all: number) => (count === all ? 'all' : String(count));

/** How a night stands to its tenants when it trained none of them, for people. */
export function nobodyTrained(
  logicalDate: string,
  tenants: readonly Pick<Tenant, 'tenantId' | 'status' | 'schedule'>[],
  trained: ReadonlySet<string>,
): string {
  const begin = `Nobody was trained for ${logicalDate}: `;
  if (tenants.length === 0) return `${begin}there are no tenants yet.`;
  const all = tenants.length;
  const done = tenants.filter(({ tenantId }) => trained.has(tenantId)).length;
  const rest = tenants.filter(({ tenantId }) => !trained.has(tenantId));
  const suspended = rest.filter(({ status }) => status === 'suspended').length;
  const off = rest.filter(({ status, schedule }) => status === 'active' && schedule === 'off').length;
  const parts = [
    `${all} ${all === 1 ? 'tenant' : 'tenants'}`,
    ...(done > 0 ? [`${counted(done, all)} trained for this date already`] : []),
    ...(suspended > 0 ? [`${counted(suspended, all)} suspended`] : []),
    ...(off > 0 ? [`${counted(off, all)} with the schedule off`] : []),
  ];
  return `${begin}${parts.join(', ')}.`;
}

/** What a night that succeeded without training anybody says; empty for every other execution. */
export async function emptyNightText(control: OperatorApi, execution: ExecutionDetail): Promise<string> {
  const { logicalDate } = dateOf(execution);
  if (
    findMachine(execution.machine)?.outcome !== 'night' ||
    execution.status !== 'SUCCEEDED' ||
    logicalDate === undefined
  )
    return '';
  const runs = await control.runs.listRuns({ logicalDate });
  if (runs.some(({ nightArn }) => nightArn === execution.executionArn)) return '';
  const trained = new Set(
    runs.filter(({ status }) => status === 'succeeded').map(({ tenantId }) => tenantId),
  );
  return nobodyTrained(logicalDate, await control.tenants.list(), trained);
}
