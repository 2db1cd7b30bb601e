import type { Command } from 'commander';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { findTenant } from '../../lib/operations/tenants/find-tenant.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { closedGate } from '../../lib/quality/gate.ts';
import { qualityPage } from '../../lib/quality/quality-page.ts';
import { rulesOf } from '../../lib/quality/rules.ts';
import type { GateStanding } from '../../lib/quality/verdict.ts';
import { renderReport } from '../../lib/reports/report.ts';
import { withHints } from '../hints.ts';
import { causeText, plain, toTheSecond } from '../output.ts';
import { writePage } from '../pages/write-page.ts';
import { print } from '../print.ts';
import { addQualityActs } from '../quality/acts.ts';
import { profileByContract } from '../quality/dataset.ts';
import { lookAtData } from '../quality/look-at-data.ts';
import { type Session, withControl } from '../session.ts';
import { table } from '../table.ts';
import { wholeNumber } from '../whole-number.ts';

/** A tenant's standing as people and programs see it. */
interface Shown extends GateStanding {
  readonly tenantId: string;
  readonly gate: 'open' | 'closed';
  /** Why the gate is closed. */
  readonly because?: string;
}

function shownOf({ config, clock }: OperatorApi, tenantId: string, standing: GateStanding): Shown {
  const closed = closedGate(standing, tenantId, config.quality, clock.now());
  return {
    tenantId,
    ...standing,
    gate: closed === undefined ? 'open' : 'closed',
    ...(closed === undefined ? {} : { because: closed.because }),
  };
}

function sentences({ verdict }: GateStanding): string {
  return (verdict?.findings ?? []).map(({ sentence }) => plain(sentence)).join('; ');
}

async function printList(
  { output }: Session,
  control: OperatorApi,
  only: readonly string[] = [],
): Promise<void> {
  const known = await control.tenants.list();
  const tenants = known.filter(({ tenantId }) => only.length === 0 || only.includes(tenantId));
  const standings = await control.quality.standings(tenants.map(({ tenantId }) => tenantId));
  const shown = tenants.flatMap(({ tenantId }, index) => {
    const standing = standings[index];
    return standing ? [shownOf(control, tenantId, standing)] : [];
  });
  print(output, { tenants: shown }, () =>
    table(
      output,
      ['TENANT', 'GATE', 'VERDICT', 'CHECKED', 'FINDINGS'],
      shown.map((each) => [
        each.tenantId,
        each.gate,
        each.verdict?.verdict ?? 'none',
        toTheSecond(each.verdict?.checkedAt),
        sentences(each),
      ]),
    ),
  );
}

/** Looks at the data of tenants that exist, waits, and shows what was found. */
async function run(session: Session, tenants: readonly string[]): Promise<void> {
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    for (const tenantId of tenants) await withHints(session, () => findTenant(control, tenantId));
    const { status, error, cause, name } = await lookAtData(session, control, tenants);
    if (status !== 'SUCCEEDED')
      throw new EpsilonError(
        'RUN_FAILED',
        `The check ${name} is ${status}: ${error ?? ''} ${causeText(cause)}`,
        { exitCode: exitCodes.runFailed },
      );
    await printList(session, control, tenants);
  });
}

function describe(shown: Shown): string {
  const { tenantId, verdict, override, gate, because } = shown;
  const lines = [
    `tenant    ${tenantId}`,
    `gate      ${gate}${because === undefined ? '' : `: ${plain(because)}`}`,
    verdict
      ? `verdict   ${verdict.verdict}, checked ${toTheSecond(verdict.checkedAt)}, so since ${toTheSecond(verdict.since)}`
      : 'verdict   none: no check has looked at this data yet ("epsilon run data-quality-check")',
    ...(verdict?.findings ?? []).map(
      ({ check, code, severity, sentence }) => `  ${severity}  ${check} ${code}: ${plain(sentence)}`,
    ),
    ...(override
      ? [
          `decision  opened ${toTheSecond(override.decidedAt)} until ${toTheSecond(override.expiresAt)}: ${plain(override.reason)}`,
        ]
      : []),
  ];
  return lines.join('\n');
}

/** Judgements that a page shows: every hour of the history. */
const pageJudgements = 2_160;

/** Partitions of a dataset that a page shows: six weeks of hours, because it shows many numbers of each. */
const pagePartitions = 1_008;

async function show(session: Session, tenantId: string, file: string | undefined): Promise<void> {
  await withControl(session, { mode: 'read' }, async (control) => {
    const tenant = await withHints(session, () => findTenant(control, tenantId));
    const shown = shownOf(control, tenantId, await control.quality.standing(tenantId));
    if (file === undefined) return print(session.output, { ...shown }, () => describe(shown));
    const { verdict, override, because } = shown;
    const page = qualityPage({
      tenantId,
      standing: { verdict, override },
      ...(because === undefined ? {} : { because }),
      rules: rulesOf(tenant.quality),
      history: await control.quality.history(tenantId, pageJudgements),
      ...(tenant.dataset
        ? {
            dataset: {
              contract: tenant.dataset,
              partitions: await control.quality.partitions(tenantId, pagePartitions),
            },
          }
        : {}),
      madeAt: new Date(control.clock.now()).toISOString(),
    });
    const written = writePage(file, renderReport(page));
    print(session.output, { ...shown, html: written }, () => `Written: ${written}`);
  });
}

async function history(session: Session, tenantId: string, limit: string): Promise<void> {
  const most = wholeNumber('--limit', limit, 2_160);
  await withControl(session, { mode: 'read' }, async (control) => {
    const entries = await control.quality.history(tenantId, most);
    print(session.output, { tenantId, entries }, () =>
      table(
        session.output,
        ['CHECKED', 'VERDICT', 'DOCUMENTS', 'UNREADABLE', 'FINDINGS'],
        entries.map(({ checkedAt, verdict, profile, findings }) => [
          toTheSecond(checkedAt),
          verdict,
          profile.used,
          profile.unreadable,
          findings.map(({ code }) => code).join(', '),
        ]),
      ),
    );
  });
}

async function partitions(session: Session, tenantId: string, limit: string): Promise<void> {
  const most = wholeNumber('--limit', limit, 2_160);
  await withControl(session, { mode: 'read' }, async (control) => {
    await withHints(session, () => findTenant(control, tenantId));
    const entries = await control.quality.partitions(tenantId, most);
    print(session.output, { tenantId, partitions: entries }, () =>
      table(
        session.output,
        ['PARTITION', 'JUDGED', 'ROWS', 'LATE', 'FINDINGS'],
        entries.map(({ partition, asOf, profile, lateHours, findings }) => [
          partition,
          toTheSecond(asOf),
          `${profile.rows}${profile.sampled ? ' of more' : ''}`,
          lateHours === null ? '' : `${lateHours.toFixed(1)} h`,
          findings.map(({ code }) => code).join(', '),
        ]),
      ),
    );
  });
}

/** `quality ...`. */
export function addQuality(program: Command, session: () => Session): void {
  const quality = program.command('quality').description("show what the checks say about tenants' data");
  quality
    .command('list')
    .description('list the verdict and the gate of every tenant')
    .action(() => withControl(session(), { mode: 'read' }, (control) => printList(session(), control)));
  quality
    .command('show')
    .description("show a tenant's verdict and what was found")
    .argument('<tenant>')
    .option('--html <file>', 'write a page with every number over time instead')
    .action((tenantId: string, { html }: { html?: string }) => show(session(), tenantId, html));
  quality
    .command('history')
    .description("list a tenant's judgements of new data, newest first")
    .argument('<tenant>')
    .option('--limit <n>', 'how many at most', '30')
    .action((tenantId: string, { limit }: { limit: string }) => history(session(), tenantId, limit));
  quality
    .command('partitions')
    .description("list the judgements of a tenant's dataset, newest partition first")
    .argument('<tenant>')
    .option('--limit <n>', 'at most so many', '48')
    .action((tenantId: string, { limit }: { limit: string }) => partitions(session(), tenantId, limit));
  quality
    .command('run')
    .description('look at the data of named tenants now, or of all, and judge it')
    .argument('[tenant...]')
    .action((tenants: string[]) => run(session(), tenants));
  quality
    .command('profile')
    .description('look at a dataset of this host and hold it to its contract')
    .argument('<contract>', 'a file, YAML or JSON (docs/quality.md)')
    .option('--max-bytes <n>', 'read so many bytes of whole files at most')
    .action((file: string, { maxBytes }: { maxBytes?: string }) =>
      profileByContract(
        session(),
        file,
        maxBytes === undefined
          ? Number.POSITIVE_INFINITY
          : wholeNumber('--max-bytes', maxBytes, Number.MAX_SAFE_INTEGER),
      ),
    );
  addQualityActs(quality, session);
  quality
    .command('open')
    .description('let a tenant be trained for some hours whatever its verdict; 0 hours ends that')
    .argument('<tenant>')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .option('--hours <n>', 'how long, at most 168', '24')
    .action((tenantId: string, { reason, hours }: { reason: string; hours: string }) =>
      withControl(session(), { mode: 'write', schedules: false }, async (control) => {
        const opened = await withHints(session(), () =>
          control.quality.open({ tenantId, reason, hours: Number(hours) }),
        );
        print(session().output, { override: opened }, () =>
          Number(hours) === 0
            ? `The gate of ${tenantId} follows its verdict again.`
            : `The gate of ${tenantId} is open until ${toTheSecond(opened.expiresAt)}.`,
        );
      }),
    );
}
