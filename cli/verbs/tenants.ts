import type { Command } from 'commander';
import type { Workloads } from '../../lib/config/workloads.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { findTenant } from '../../lib/operations/tenants/find-tenant.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { checkTenantId, type Tenant } from '../../lib/tenants/tenant.ts';
import { type NewTenant, newTenant } from '../../lib/tenants/tenant-changes.ts';
import { tenantModelTraining } from '../../lib/training/machines.ts';
import { documentsUriOf } from '../documents/documents.ts';
import {
  checkReadable,
  dryRun,
  limitsOf,
  type ReadingWords,
  readingOf,
  surveyText,
} from '../documents/tenant-documents.ts';
import { checkDocuments, documentsPrefix, type Uploaded, uploadDocuments } from '../documents/upload.ts';
import { withHints } from '../hints.ts';
import { print } from '../print.ts';
import { readContract } from '../quality/contract-file.ts';
import { command, type Session, withControl } from '../session.ts';
import { table } from '../table.ts';
import { type PromotionWords, promotionOf } from '../tenants/promotion.ts';
import { addTrainingOptions, type TrainingWords, trainingFields } from '../tenants/training.ts';
import { addReadingOptions, addTenantUpdate } from './tenant-update.ts';
import { addWorstTenants } from './tenants-worst.ts';

/** What a tenant's record is made of, as typed. */
export interface TenantWords extends ReadingWords, TrainingWords, PromotionWords {
  readonly documentsUri: string;
  readonly backend: string;
  readonly priority: string;
  readonly schedule: string;
  readonly maxTokens?: string;
  readonly maxDocuments?: string;
  readonly spot: boolean;
  /** File of the contract of its dataset. */
  readonly dataset?: string;
}

type AddOptions = Omit<TenantWords, 'documentsUri' | 'backend'> & {
  readonly documents: string;
  readonly backend?: string;
  readonly dryRun?: boolean;
};

/** A tenant from the words of the command line; whether it is allowed is judged by whoever adds it. */
export function tenantOf(tenantId: string, options: TenantWords, workloads: Workloads): NewTenant {
  const { documentsUri, backend, schedule, priority, spot } = options;
  return {
    tenantId,
    documentsUri,
    ...trainingFields(workloads, options),
    backend,
    schedule,
    priority: Number(priority),
    capacity: { spotAllowed: spot },
    resources: {},
    limits: limitsOf(options, {}),
    ...readingOf(options, undefined),
    ...(options.dataset === undefined ? {} : { dataset: readContract(options.dataset) }),
    datasets: [],
    promotion: promotionOf(options, { minSelfRetrieval: 0.9 }),
  } as NewTenant;
}

/** Where the documents of a tenant to be are, or will be once they are uploaded; and the backend of its jobs. */
async function placeOf(
  { target }: Session,
  control: OperatorApi,
  tenantId: string,
  { documents, backend }: AddOptions,
): Promise<{ readonly documentsUri: string; readonly backend: string; readonly upload: boolean }> {
  if (target.kind === 'local')
    return { documentsUri: await documentsUriOf(documents), backend: backend ?? 'local', upload: false };
  const upload = !documents.startsWith('s3://');
  return {
    documentsUri: upload ? documentsPrefix(control, tenantId) : documents,
    backend: backend ?? 'batch',
    upload,
  };
}

/** Refuses here, with nothing uploaded, what adding the tenant would refuse. */
async function checkNew(session: Session, control: OperatorApi, tenant: NewTenant): Promise<void> {
  newTenant({ ...tenant }, { config: control.config, now: isoNow(session.clock) });
  if (!(await control.tenants.get(tenant.tenantId))) return;
  throw new EpsilonError(
    'TENANT_EXISTS',
    `Tenant "${tenant.tenantId}" already exists; nothing was changed.`,
    { exitCode: exitCodes.conflict },
  );
}

/** Says what would be read, and writes nothing. */
async function tryAdding(session: Session, options: AddOptions): Promise<void> {
  const { documents } = options;
  const limits = limitsOf(options, {});
  const wanted = { limits, ...readingOf(options, undefined) };
  const survey = documents.startsWith('s3://')
    ? await withControl(session, { mode: 'read' }, ({ objects }) => dryRun(documents, wanted, objects))
    : await dryRun(documents, wanted);
  print(session.output, { survey }, () => `${surveyText(survey)}\nNothing was added.`);
}

async function add(session: Session, tenantId: string, options: AddOptions): Promise<void> {
  checkTenantId(tenantId);
  if (options.dryRun) {
    await tryAdding(session, options);
    return;
  }
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const { upload, ...place } = await placeOf(session, control, tenantId, options);
    let draft = tenantOf(tenantId, { ...options, ...place }, control.config.workloads);
    let uploaded: Uploaded | undefined;
    await checkNew(session, control, draft);
    await checkReadable(session, options.documents, draft);
    if (upload) {
      uploaded = await uploadDocuments(session, control, tenantId, options.documents);
      draft = { ...draft, documentsUri: uploaded.documentsUri };
    } else if (session.target.kind === 'aws') await checkDocuments(control, tenantId, draft.documentsUri);
    const tenant = await control.tenants.add(draft);
    if (uploaded && uploaded.others > 0)
      session.output.warn(
        `${uploaded.others} objects below ${documentsPrefix(control, tenantId)} are not among these documents; they are trained on too.\n`,
      );
    print(
      session.output,
      { tenant, ...(uploaded ? { documents: uploaded } : {}) },
      () =>
        `Tenant ${tenantId} added: ${tenant.documentsUri}\nTrain it now with: ${command(session, `run ${tenantModelTraining.key} --tenant ${tenantId}`)}`,
    );
  });
}

async function setStatus(session: Session, tenantId: string, status: Tenant['status']): Promise<void> {
  const tenant = { tenantId: checkTenantId(tenantId) };
  await withControl(session, { mode: 'write', schedules: false }, async ({ tenants }) => {
    await withHints(session, () => (status === 'active' ? tenants.resume(tenant) : tenants.suspend(tenant)));
  });
  print(session.output, { tenantId, status }, () => `Tenant ${tenantId} is ${status}.`);
}

/** `epsilon tenants ...` */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function addTenants(program: Command, session: () => Session): void {
  const tenants = program.command('tenants').description('manage tenants');
  const verb = tenants
    .command('add')
    .description('add a tenant with its documents (folder, glob, JSONL, CSV, or s3:// prefix)')
    .argument('<tenant>', 'id: 2 to 39 of a-z, 0-9 and "-", starting with a letter')
    .requiredOption('--documents <path>', 'folder, glob, file (uploaded when on AWS) or s3://bucket/prefix/')
    .option('--backend <backend>', 'local, batch or eks (default: local on this host, batch on AWS)')
    .option('--priority <0-100>', 'order at night; 100 is first', '50')
    .option('--schedule <on|off|airflow>', 'train every night, or leave that to Airflow', 'on')
    .option('--max-tokens <n>', 'cap of training tokens')
    .option('--max-documents <n>', 'cap of documents')
    .option('--dataset <file>', 'contract that its dataset is checked against every hour (docs/quality.md)')
    .option(
      '--max-regression <0-1>',
      'share of passages that a new model may find less than the live one (0.05)',
    )
    .option('--no-spot', 'never use spot capacity');
  addReadingOptions(addTrainingOptions(verb)).action((tenantId: string, options: AddOptions) =>
    add(session(), tenantId, options),
  );
  tenants
    .command('list')
    .description('list tenants')
    .action(() =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const all = await control.tenants.list();
        print(session().output, { tenants: all }, () =>
          table(
            session().output,
            ['TENANT', 'STATUS', 'SCHEDULE', 'BACKEND', 'PRIORITY', 'DOCUMENTS'],
            all.map((tenant) => [
              tenant.tenantId,
              tenant.status,
              tenant.schedule,
              tenant.backend,
              tenant.priority,
              tenant.documentsUri,
            ]),
          ),
        );
      }),
    );
  tenants
    .command('show')
    .description('show one tenant in full')
    .argument('<tenant>')
    .action((tenantId: string) =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const tenant = await withHints(session(), () => findTenant(control, tenantId));
        const live = await control.models.live(tenantId);
        print(session().output, { tenant, live: live ?? null }, () =>
          JSON.stringify({ ...tenant, live: live?.modelVersion ?? null }, null, 2),
        );
      }),
    );
  addTenantUpdate(tenants, session);
  addWorstTenants(tenants, session);
  tenants
    .command('suspend')
    .description('stop training a tenant')
    .argument('<tenant>')
    .action((tenantId: string) => setStatus(session(), tenantId, 'suspended'));
  tenants
    .command('resume')
    .description('train a suspended tenant again')
    .argument('<tenant>')
    .action((tenantId: string) => setStatus(session(), tenantId, 'active'));
  tenants
    .command('remove')
    .description('remove a tenant; its models and runs are kept')
    .argument('<tenant>')
    .option('--yes', 'confirm')
    .action(async (tenantId: string, { yes }: { yes?: boolean }) => {
      checkTenantId(tenantId);
      if (!yes)
        throw new EpsilonError(
          'CONFIRM_REQUIRED',
          `Removing "${tenantId}" cannot be undone; add --yes, or use "${command(session(), `tenants suspend ${tenantId}`)}".`,
        );
      await withControl(session(), { mode: 'write', schedules: false }, async (control) => {
        await withHints(session(), () => control.tenants.remove({ tenantId }));
      });
      print(session().output, { tenantId, removed: true }, () => `Tenant ${tenantId} removed.`);
    });
}
