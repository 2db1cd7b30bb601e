import { type AuditEntry, entriesOf } from '../../audit/record.ts';
import { ConditionFailed } from '../../errors/store-errors.ts';
import type { AuditFilter, AuditLog } from '../../ports/audit-log.ts';
import { absent, all, between, compare, type Part } from './expressions.ts';
import { auditKey, auditPrefix } from './keys.ts';
import { auditForm } from './records.ts';
import { partitionIs, type Table } from './table.ts';

/** Records of one act, at most. */
const recordsOfAct = 2;

/** The UTC months of a span of time, newest first, as `YYYY-MM`; the month in which it ends is the first. */
function* monthsOf({ since, until }: AuditFilter): Generator<string> {
  const month = new Date(`${until.slice(0, 7)}-01T00:00:00Z`);
  for (; month.toISOString().slice(0, 7) >= since.slice(0, 7); month.setUTCMonth(month.getUTCMonth() - 1))
    yield month.toISOString().slice(0, 7);
}

function filterOf({ actor, subject }: AuditFilter): Part | undefined {
  const parts = [
    ...(actor === undefined ? [] : [compare('actor', '=', actor)]),
    ...(subject === undefined ? [] : [compare('subject', '=', subject)]),
  ];
  return parts.length === 0 ? undefined : all(...parts);
}

/** The audit log in the table, a partition a month; nothing is ever written over. */
export function tableAuditLog(table: Table): AuditLog {
  return {
    append: async (record) => {
      const item = { ...auditKey(record), ...auditForm.write(record) };
      const { done } = await table.put(item, absent('pk'));
      if (!done) throw new ConditionFailed(`act ${record.auditId} is on record as ${record.phase}`);
    },
    list: async (asked) => {
      const filter = filterOf(asked);
      const found: AuditEntry[] = [];
      for (const month of monthsOf(asked)) {
        if (found.length >= asked.limit) break;
        const items = await table.query({
          partition: partitionIs(`${auditPrefix}${month}`),
          // "!" sorts before the "#" that follows the instant: what begins at `until` is left out.
          range: between('sk', asked.since, `${asked.until}!`),
          newestFirst: true,
          limit: (asked.limit - found.length) * recordsOfAct,
          ...(filter ? { filter } : {}),
        });
        found.push(...entriesOf(items.map((item) => auditForm.read(item))));
      }
      return found.slice(0, asked.limit);
    },
  };
}
