import type { Command } from 'commander';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { openSearch } from '../../lib/operations/models/search.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { checkTenantId } from '../../lib/tenants/tenant.ts';
import { tenantModelTraining } from '../../lib/training/machines.ts';
import type { LiveModel } from '../../lib/training/models/model.ts';
import { fittedTable, plain, print } from '../output.ts';
import { command, type Session, withControl } from '../session.ts';

/** Seconds an operator's promotion may hold the tenant's lease. */
const leaseSeconds = 60;

/** The live model; `TENANT_NOT_FOUND` or `MODEL_NOT_LIVE` otherwise. */
async function requireLive(session: Session, control: OperatorApi, tenantId: string): Promise<LiveModel> {
  const live = await control.models.live(checkTenantId(tenantId));
  if (live) return live;
  if (!(await control.tenants.get(tenantId)))
    throw new NotFound('TENANT_NOT_FOUND', `There is no tenant "${tenantId}".`);
  throw new NotFound(
    'MODEL_NOT_LIVE',
    `Tenant "${tenantId}" has no promoted model yet; train it with: ${command(session, `run ${tenantModelTraining.key} --tenant ${tenantId}`)}`,
  );
}

/** Promotes under the tenant's lease, so that an operator and a run never switch at the same time. */
async function promote(
  session: Session,
  tenantId: string,
  choose: (control: OperatorApi) => Promise<{ version: string; reason: 'manual' | 'rollback' }>,
): Promise<void> {
  checkTenantId(tenantId);
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const { version, reason } = await choose(control);
    const now = session.clock.now();
    const holder = `operator-${session.ids.ulid()}`;
    const lease = await control.leases.acquire({
      tenantId,
      holder,
      now: new Date(now).toISOString(),
      expiresAt: new Date(now + leaseSeconds * 1000).toISOString(),
    });
    try {
      const live = await control.models.promote({
        tenantId,
        modelVersion: version,
        fence: lease.fence,
        at: new Date(now).toISOString(),
        reason,
      });
      print(
        session.output,
        { live },
        () =>
          `${tenantId} answers with model ${live.modelVersion} now (before: ${live.previousVersion ?? 'none'}).`,
      );
    } finally {
      await control.leases.release({ tenantId, holder, fence: lease.fence });
    }
  });
}

/** `models ...` and `query`. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function addModels(program: Command, session: () => Session): void {
  const models = program.command('models').description('trained models and which one answers');
  models
    .command('list')
    .description('models of a tenant, newest first')
    .argument('<tenant>')
    .action((tenantId: string) =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const [all, live] = [
          await control.models.list(checkTenantId(tenantId)),
          await control.models.live(tenantId),
        ];
        // Models outlive their tenant's record; without either there is no such tenant.
        if (all.length === 0 && !(await control.tenants.get(tenantId)))
          throw new NotFound('TENANT_NOT_FOUND', `There is no tenant "${tenantId}".`);
        print(session().output, { models: all, live: live ?? null }, () =>
          fittedTable(
            session().output.columns,
            ['MODEL', 'LIVE', 'DATE', 'VECTORS', 'DIMENSIONS', 'SELF-RETRIEVAL', 'RUN'],
            all.map((model) => [
              model.modelVersion,
              model.modelVersion === live?.modelVersion
                ? 'live'
                : model.modelVersion === live?.previousVersion
                  ? 'previous'
                  : '',
              model.logicalDate,
              model.vectors,
              model.dimensions,
              model.selfRetrieval,
              model.runId,
            ]),
          ),
        );
      }),
    );
  models
    .command('promote')
    .description('let a trained model answer')
    .argument('<tenant>')
    .argument('<model>', 'model version')
    .action((tenantId: string, version: string) =>
      promote(session(), tenantId, async () => ({ version, reason: 'manual' })),
    );
  models
    .command('rollback')
    .description('let the model before the live one answer again')
    .argument('<tenant>')
    .action((tenantId: string) =>
      promote(session(), tenantId, async (control) => {
        const { modelVersion, previousVersion, reason } = await requireLive(session(), control, tenantId);
        // Twice in a hurry would bring back the model that one fled from.
        if (reason === 'rollback')
          throw new EpsilonError(
            'MODEL_ROLLED_BACK',
            `Tenant "${tenantId}" was rolled back already, from ${previousVersion ?? 'none'} to ${modelVersion}. Another model: ${command(session(), `models promote ${tenantId} <model>`)}`,
            { exitCode: exitCodes.conflict },
          );
        if (previousVersion) return { version: previousVersion, reason: 'rollback' };
        throw new EpsilonError(
          'MODEL_NO_PREVIOUS',
          `Tenant "${tenantId}" has no earlier model to go back to.`,
          { exitCode: exitCodes.conflict },
        );
      }),
    );
  program
    .command('query')
    .description("ask a tenant's live model")
    .requiredOption('--tenant <tenant>')
    .argument('<text>', 'the question')
    .option('-k <n>', 'answers', '3')
    .action((text: string, options: { tenant: string; k: string }) =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const k = Number(options.k);
        if (!Number.isInteger(k) || k < 1 || k > 1000)
          throw new EpsilonError('USAGE', `-k ${options.k} is not a whole number from 1 to 1,000.`);
        const live = await requireLive(session(), control, options.tenant);
        const answers = (await openSearch(control.objects, live)).ask(text, k);
        print(session().output, { tenantId: options.tenant, modelVersion: live.modelVersion, answers }, () =>
          answers
            .map(
              ({ score, source, text: passage }) =>
                `${score.toFixed(3)}  ${plain(source)}\n       ${plain(passage).slice(0, 200)}`,
            )
            .join('\n'),
        );
      }),
    );
}
