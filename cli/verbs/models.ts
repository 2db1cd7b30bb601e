import type { Command } from 'commander';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { requireLive } from '../../lib/operations/models/promote-model.ts';
import type { OperatorApi, Promotion } from '../../lib/ports/operator-api.ts';
import { checkTenantId } from '../../lib/tenants/tenant.ts';
import { withHints } from '../hints.ts';
import { plain } from '../output.ts';
import { print } from '../print.ts';
import { shortened } from '../prose.ts';
import { type Session, withControl } from '../session.ts';
import { table } from '../table.ts';
import { answersOf } from '../tenants/answers.ts';
import { wholeNumber } from '../whole-number.ts';

/** Switches the live model and says which one answers now. */
async function switchModel(
  session: Session,
  act: (control: OperatorApi) => Promise<Promotion>,
): Promise<void> {
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const { live, announced } = await withHints(session, () => act(control));
    if (!announced)
      session.output.warn(
        'The event bus did not take "Model Promoted"; the reconciler publishes it within minutes.\n',
      );
    print(
      session.output,
      { live },
      () =>
        `${live.tenantId} answers with model ${live.modelVersion} now (before: ${live.previousVersion ?? 'none'}). The fixed names below ${live.tenantId}/ follow.`,
    );
  });
}

/** `models ...` and `query`. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function addModels(program: Command, session: () => Session): void {
  const models = program.command('models').description('list, promote and roll back models');
  models
    .command('list')
    .description('list the models of a tenant, newest first')
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
          table(
            session().output,
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
    .description('make a trained model the live one')
    .argument('<tenant>')
    .argument('<model>', 'model version')
    .action((tenantId: string, modelVersion: string) =>
      switchModel(session(), (control) => control.models.promote({ tenantId, modelVersion })),
    );
  models
    .command('rollback')
    .description('make the previous live model live again')
    .argument('<tenant>')
    .action((tenantId: string) => switchModel(session(), (control) => control.models.rollback({ tenantId })));
  program
    .command('query')
    .description("search with a tenant's live model")
    .requiredOption('--tenant <tenant>', 'whose live model is asked')
    .argument('<text>', 'the question')
    .option('-k <n>', 'number of answers', '3')
    .action((text: string, options: { tenant: string; k: string }) =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const k = wholeNumber('-k', options.k, 1_000);
        const live = await withHints(session(), () => requireLive(control, options.tenant));
        const answers = await answersOf(session(), control, live, { text, k });
        print(session().output, { tenantId: options.tenant, modelVersion: live.modelVersion, answers }, () =>
          answers
            .map(
              ({ score, source, text: passage }) =>
                `${score.toFixed(3)}  ${plain(source)}\n       ${shortened(plain(passage), 200)}`,
            )
            .join('\n'),
        );
      }),
    );
}
