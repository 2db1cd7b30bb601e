import type { Command } from 'commander';
import type { AuditEntry } from '../../lib/audit/record.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { AuditFilter } from '../../lib/ports/audit-log.ts';
import { type Output, plain, toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import { type Session, withControl } from '../session.ts';
import { table } from '../table.ts';
import { wholeNumber } from '../whole-number.ts';

interface AuditOptions {
  readonly since: string;
  readonly until?: string;
  readonly actor?: string;
  readonly subject?: string;
  readonly limit: string;
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** An instant of an option: ISO 8601, or so many minutes, hours or days ago (`30d`). */
function instantOf(option: string, text: string, now: number): string {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const at = count === undefined ? Date.parse(text) : now - Number(count) * (unitMs[unit] ?? 0);
  // Times are compared as text, which the years 0 to 9999 allow.
  if (at >= Date.parse('0000-01-01T00:00:00Z') && at <= Date.parse('9999-12-31T23:59:59Z'))
    return new Date(at).toISOString();
  throw new EpsilonError(
    'USAGE',
    `${option} ${text} is neither an ISO 8601 instant nor like 30d, 12h or 15m.`,
  );
}

function filterOf({ since, until, actor, subject, limit }: AuditOptions, now: number): AuditFilter {
  const most = wholeNumber('--limit', limit, 10_000);
  return {
    since: instantOf('--since', since, now),
    // What began in this very millisecond belongs to the list.
    until: until === undefined ? new Date(now + 1).toISOString() : instantOf('--until', until, now),
    limit: most,
    ...(actor === undefined ? {} : { actor }),
    ...(subject === undefined ? {} : { subject }),
  };
}

function auditTable(output: Output, entries: readonly AuditEntry[]): string {
  const rows = entries.map(({ begunAt, act, subject, outcome, error, actor, via }) => [
    toTheSecond(begunAt),
    act,
    plain(subject),
    error === undefined ? outcome : `${outcome} (${error})`,
    plain(actor),
    via,
  ]);
  return table(output, ['BEGUN', 'ACT', 'ON', 'OUTCOME', 'BY', 'VIA'], rows);
}

async function list(session: Session, options: AuditOptions): Promise<void> {
  const filter = filterOf(options, session.clock.now());
  await withControl(session, { mode: 'read' }, async (control) => {
    const entries = await control.audit.list(filter);
    print(session.output, { entries }, () => auditTable(session.output, entries));
  });
}

/** `audit` */
export function addAudit(program: Command, session: () => Session): void {
  program
    .command('audit')
    .description(
      'list what operators did, newest first: who, when, what, on which subject, with which outcome',
    )
    .option('--since <time>', 'ISO 8601, or 30d, 12h, 15m ago', '30d')
    .option('--until <time>', 'the same; default: now')
    .option('--actor <id>', 'only of this actor: os:alice, or an ARN')
    .option('--subject <subject>', 'only on this subject: "tenant acme"')
    .option('--limit <n>', 'how many', '50')
    .action((options: AuditOptions) => list(session(), options));
}
