import { openSearch } from '../../lib/operations/models/search.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionDetail } from '../../lib/ports/workflows.ts';
import type { Attempt } from '../../lib/training/run.ts';
import { stageNames } from '../../lib/training/stages.ts';
import { demoFamilies } from '../../local/demo/corpora.ts';
import { causeText, type Output, plain, seconds, toTheSecond } from '../output.ts';
import { shortened } from '../prose.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import type { RunView } from '../watch/run-views.ts';
import { transitionsOf } from '../watch/watch.ts';

function secondsOf(attempt: Attempt): number {
  const from = Date.parse(attempt.startedAt ?? attempt.intentAt);
  const to = Date.parse(attempt.finishedAt ?? attempt.settledAt ?? attempt.intentAt);
  return Math.max(0, Math.round(to - from)) / 1000;
}

/** What became of a tenant's run, as the demo prints it. */
export async function tenantReport(control: OperatorApi, { run, attempts }: RunView) {
  const model = await control.models.get(run.tenantId, run.modelVersion);
  const stages = stageNames.flatMap((stage) => {
    const mine = attempts.filter((attempt) => attempt.stage === stage);
    return mine.length === 0
      ? []
      : [
          {
            stage,
            attempts: mine.length,
            seconds: mine.reduce((sum, attempt) => sum + secondsOf(attempt), 0),
          },
        ];
  });
  return {
    tenantId: run.tenantId,
    status: run.status,
    reason: run.status === 'succeeded' ? null : (run.cause ?? null),
    modelVersion: model?.modelVersion ?? null,
    modelUri: model?.modelUri ?? null,
    indexUri: model?.indexUri ?? null,
    vectors: model?.vectors ?? 0,
    dimensions: model?.dimensions ?? 0,
    transitions: await transitionsOf(control, run.executionArn),
    stages,
  };
}

/** What the demo prints of a tenant. */
export type TenantReport = Awaited<ReturnType<typeof tenantReport>>;

/** A row for each tenant. */
export function reportTable(output: Output, tenants: readonly TenantReport[]): string {
  return table(
    output,
    [
      'TENANT',
      'OUTCOME',
      ...stageNames.map((stage) => stage.toUpperCase()),
      'ATTEMPTS',
      'VECTORS',
      'MODEL',
      'TRANSITIONS',
    ],
    tenants.map((tenant) => [
      tenant.tenantId,
      tenant.status,
      ...stageNames.map((name) => {
        const stage = tenant.stages.find((one) => one.stage === name);
        return stage ? seconds(stage.seconds * 1000) : '-';
      }),
      tenant.stages.reduce((sum, stage) => sum + stage.attempts, 0),
      tenant.vectors,
      tenant.modelVersion ?? '-',
      tenant.transitions,
    ]),
  );
}

/** How a night ended; one that had ended before the command began at `began` (ms since the epoch) is not told as if it had just run. */
export function nightText(
  { name, status, stopDate }: Pick<ExecutionDetail, 'name' | 'status' | 'stopDate'>,
  { began, now, transitions }: { readonly began: number; readonly now: number; readonly transitions: number },
): string {
  if (stopDate !== undefined && Date.parse(stopDate) < began)
    return `Night ${name} had ended already (${status}, ${toTheSecond(stopDate)}): nothing was run again. A new one: --state-dir names another folder.`;
  return `Night ${name}: ${status} in ${seconds(now - began)}, ${transitions} transitions.`;
}

/** Why each tenant that did not make it did not make it. */
export async function reasons(
  control: OperatorApi,
  views: readonly RunView[],
  told: (runId: string) => boolean,
): Promise<string> {
  const lines: string[] = [];
  for (const { run } of views) {
    if (run.status === 'succeeded' || told(run.runId)) continue;
    const { error, cause } = await control.workflows.describe(run.executionArn);
    lines.push(`  ${run.tenantId}: ${error ?? run.status}: ${causeText(cause ?? run.cause)}\n`);
  }
  return lines.join('');
}

/** One real answer per tenant from the model that was just promoted. */
export async function answers(
  session: Session,
  control: OperatorApi,
  tenants: readonly TenantReport[],
): Promise<string> {
  const lines: string[] = [];
  for (const { tenantId } of tenants) {
    const live = await control.models.live(tenantId);
    if (!live) continue;
    const question =
      demoFamilies.find((family) => family.tenantId === tenantId)?.question ?? 'how do I begin';
    const search = await openSearch(control.objects, live);
    const [best] = await search.ask(question, 1);
    const text =
      shortened(plain(best?.text ?? ''), Math.max(60, (session.output.columns ?? 100) - 12)) || '(no answer)';
    lines.push(
      `  ${tenantId}: "${question}"\n    ${best?.score.toFixed(3) ?? ''}  ${best?.source ?? ''}\n    ${text}`,
    );
  }
  return lines.join('\n');
}
