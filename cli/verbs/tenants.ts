import type { Command } from 'commander';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { checkTenantId, type Tenant, tenantSchema } from '../../lib/tenants/tenant.ts';
import { tenantModelTraining } from '../../lib/training/machines.ts';
import { modelTypes } from '../../lib/training/stages.ts';
import { documentsUriOf } from '../documents.ts';
import { print, table } from '../output.ts';
import { command, type Session, withControl } from '../session.ts';
import { checkDocuments, documentsPrefix, type Uploaded, uploadDocuments } from '../upload.ts';

/** What a tenant record is made of. */
export interface TenantWords {
  readonly documentsUri: string;
  readonly modelType: string;
  readonly backend: string;
  readonly priority: string;
  readonly schedule: string;
  readonly maxTokens?: string;
  readonly maxDocuments?: string;
  readonly spot: boolean;
}

type AddOptions = Omit<TenantWords, 'documentsUri' | 'backend'> & {
  readonly documents: string;
  readonly backend?: string;
};

/** A tenant record from the words of the command line; throws at the first that does not fit. */
export function tenantOf(tenantId: string, options: TenantWords, now: string): Tenant {
  checkTenantId(tenantId);
  if (!(modelTypes as readonly string[]).includes(options.modelType)) {
    throw new EpsilonError(
      'MODEL_TYPE_UNKNOWN',
      `Model type "${options.modelType}" cannot be trained (known: ${modelTypes.join(', ')}).`,
    );
  }
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const parsed = tenantSchema.safeParse({
    tenantId,
    status: 'active',
    documentsUri: options.documentsUri,
    modelType: options.modelType,
    backend: options.backend,
    schedule: options.schedule,
    priority: Number(options.priority),
    capacity: { spotAllowed: options.spot },
    resources: {},
    limits: {
      ...(options.maxTokens === undefined ? {} : { maxTokens: number(options.maxTokens) }),
      ...(options.maxDocuments === undefined ? {} : { maxDocuments: number(options.maxDocuments) }),
    },
    datasets: [],
    promotion: { minSelfRetrieval: 0.9 },
    version: 1,
    createdAt: now,
    updatedAt: now,
  });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new EpsilonError('TENANT_INVALID', `${issue?.path.join('.')}: ${issue?.message}.`, {
    details: { field: issue?.path.join('.') },
  });
}

async function existing(session: Session, control: OperatorApi, tenantId: string): Promise<Tenant> {
  const tenant = await control.tenants.get(checkTenantId(tenantId));
  if (tenant) return tenant;
  throw new NotFound(
    'TENANT_NOT_FOUND',
    `There is no tenant "${tenantId}"; "${command(session, 'tenants list')}" lists them.`,
  );
}

/** Where the documents of a tenant to be are, or will be once they are uploaded; and the backend of its jobs. */
function placeOf(
  { target }: Session,
  control: OperatorApi,
  tenantId: string,
  { documents, backend }: AddOptions,
): { readonly documentsUri: string; readonly backend: string; readonly upload: boolean } {
  if (target.kind === 'local')
    return { documentsUri: documentsUriOf(documents), backend: backend ?? 'local', upload: false };
  const { environment, kubernetes } = control.config;
  const refusal =
    backend === 'local'
      ? `on AWS jobs of tenant "${tenantId}" run on batch or eks`
      : backend === 'eks' && kubernetes === 'off'
        ? `Kubernetes is off in ${environment} (infra/config/${environment}.yml); jobs run on batch`
        : undefined;
  if (refusal !== undefined)
    throw new EpsilonError('TENANT_INVALID', `backend: ${refusal}.`, { details: { field: 'backend' } });
  const upload = !documents.startsWith('s3://');
  return {
    documentsUri: upload ? documentsPrefix(control, tenantId) : documents,
    backend: backend ?? 'batch',
    upload,
  };
}

async function add(session: Session, tenantId: string, options: AddOptions): Promise<void> {
  checkTenantId(tenantId);
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const { upload, ...place } = placeOf(session, control, tenantId, options);
    let tenant = tenantOf(tenantId, { ...options, ...place }, new Date(session.clock.now()).toISOString());
    if (await control.tenants.get(tenantId)) {
      throw new EpsilonError('TENANT_EXISTS', `Tenant "${tenantId}" is there already; nothing was changed.`, {
        exitCode: exitCodes.conflict,
      });
    }
    let uploaded: Uploaded | undefined;
    if (upload) {
      uploaded = await uploadDocuments(session, control, tenantId, options.documents);
      tenant = { ...tenant, documentsUri: uploaded.documentsUri };
    } else if (session.target.kind === 'aws') await checkDocuments(control, tenantId, tenant.documentsUri);
    await control.tenants.put(tenant, 0);
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
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const tenant = await existing(session, control, tenantId);
    if (tenant.status !== status) {
      await control.tenants.put(
        { ...tenant, status, updatedAt: new Date(session.clock.now()).toISOString() },
        tenant.version,
      );
    }
  });
  print(session.output, { tenantId, status }, () => `Tenant ${tenantId} is ${status}.`);
}

/** `epsilon tenants ...` */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function addTenants(program: Command, session: () => Session): void {
  const tenants = program.command('tenants').description('whose models are trained');
  tenants
    .command('add')
    .description('add a tenant with its documents (folder, glob, JSONL, CSV, or s3:// prefix)')
    .argument('<tenant>', 'id: 2 to 39 of a-z, 0-9 and "-", starting with a letter')
    .requiredOption('--documents <path>', 'folder, glob, file (uploaded when on AWS) or s3://bucket/prefix/')
    .option('--model-type <type>', 'model to train', 'skipgram')
    .option('--backend <backend>', 'local, batch or eks (on this machine local, on AWS batch)')
    .option('--priority <0-100>', 'who comes first at night', '50')
    .option('--schedule <on|off>', 'train every night', 'on')
    .option('--max-tokens <n>', 'cap of training tokens')
    .option('--max-documents <n>', 'cap of documents')
    .option('--no-spot', 'never on spot capacity')
    .action((tenantId: string, options: AddOptions) => add(session(), tenantId, options));
  tenants
    .command('list')
    .description('all tenants')
    .action(() =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const all = await control.tenants.list();
        print(session().output, { tenants: all }, () =>
          table(
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
    .description('one tenant whole')
    .argument('<tenant>')
    .action((tenantId: string) =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const tenant = await existing(session(), control, tenantId);
        const live = await control.models.live(tenantId);
        print(session().output, { tenant, live: live ?? null }, () =>
          JSON.stringify({ ...tenant, live: live?.modelVersion ?? null }, null, 2),
        );
      }),
    );
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
    .description('forget a tenant; its models and runs stay on record')
    .argument('<tenant>')
    .option('--yes', 'do it')
    .action(async (tenantId: string, { yes }: { yes?: boolean }) => {
      checkTenantId(tenantId);
      if (!yes)
        throw new EpsilonError(
          'CONFIRM_REQUIRED',
          `Removing "${tenantId}" cannot be undone; say --yes, or use "${command(session(), `tenants suspend ${tenantId}`)}".`,
        );
      await withControl(session(), { mode: 'write', schedules: false }, async (control) => {
        const tenant = await existing(session(), control, tenantId);
        await control.tenants.remove(tenantId, tenant.version);
      });
      print(session().output, { tenantId, removed: true }, () => `Tenant ${tenantId} removed.`);
    });
}
