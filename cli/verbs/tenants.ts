import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import picomatch from 'picomatch';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import type { ControlPlane } from '../../lib/ports/control-plane.ts';
import { checkTenantId, type Tenant, tenantSchema } from '../../lib/tenants/tenant.ts';
import { modelTypes } from '../../lib/training/stages.ts';
import { print, table } from '../output.ts';
import { type Session, withControl } from '../session.ts';

/** Where documents are, as a URI; a local folder, file or glob must be there and readable. */
export function documentsUriOf(given: string): string {
  if (/^(s3|file):\/\//.test(given)) return given;
  const path = resolve(given);
  const isGlob = !existsSync(path) && picomatch.scan(path).isGlob;
  const folder = isGlob ? picomatch.scan(path).base : path;
  if (!existsSync(folder)) throw new EpsilonError('DOCUMENTS_NOT_FOUND', `There is nothing at ${folder}.`);
  try {
    accessSync(folder, constants.R_OK);
    if (!isGlob && statSync(folder).isDirectory() && readdirSync(folder).length === 0) {
      throw new EpsilonError('DOCUMENTS_EMPTY', `The folder ${folder} is empty.`);
    }
  } catch (error) {
    if (error instanceof EpsilonError) throw error;
    throw new EpsilonError('DOCUMENTS_UNREADABLE', `${folder} may not be read.`, { cause: error });
  }
  // Characters of a glob stay readable in the URI.
  return decodeURI(pathToFileURL(path).href);
}

interface AddOptions {
  readonly documents: string;
  readonly modelType: string;
  readonly backend: string;
  readonly priority: string;
  readonly schedule: string;
  readonly maxTokens?: string;
  readonly maxDocuments?: string;
  readonly spot: boolean;
}

/** A tenant record from the words of the command line; throws at the first that does not fit. */
export function tenantOf(tenantId: string, options: AddOptions, now: string): Tenant {
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
    documentsUri: documentsUriOf(options.documents),
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

async function existing(control: ControlPlane, tenantId: string): Promise<Tenant> {
  const tenant = await control.tenants.get(checkTenantId(tenantId));
  if (tenant) return tenant;
  throw new NotFound(
    'TENANT_NOT_FOUND',
    `There is no tenant "${tenantId}"; "epsilon tenants list" lists them.`,
  );
}

async function add(session: Session, tenantId: string, options: AddOptions): Promise<void> {
  const tenant = tenantOf(tenantId, options, new Date(session.clock.now()).toISOString());
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    if (await control.tenants.get(tenantId)) {
      throw new EpsilonError('TENANT_EXISTS', `Tenant "${tenantId}" is there already; nothing was changed.`, {
        exitCode: exitCodes.conflict,
      });
    }
    await control.tenants.put(tenant, 0);
  });
  print(
    session.output,
    { tenant },
    () =>
      `Tenant ${tenantId} added: ${tenant.documentsUri}\nTrain it now with: epsilon run tenant-model-training --tenant ${tenantId}`,
  );
}

async function setStatus(session: Session, tenantId: string, status: Tenant['status']): Promise<void> {
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const tenant = await existing(control, tenantId);
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
export function addTenants(program: Command, session: () => Session): void {
  const tenants = program.command('tenants').description('whose models are trained');
  tenants
    .command('add')
    .description('add a tenant with its documents (folder, glob, JSONL, CSV, or s3:// prefix)')
    .argument('<tenant>', 'id: 2 to 39 of a-z, 0-9 and "-", starting with a letter')
    .requiredOption('--documents <path>', 'folder, glob, file or s3://bucket/prefix/')
    .option('--model-type <type>', 'model to train', 'skipgram')
    .option('--backend <backend>', 'local, batch or eks', 'local')
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
        const tenant = await existing(control, tenantId);
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
          `Removing "${tenantId}" cannot be undone; say --yes, or use "epsilon tenants suspend ${tenantId}".`,
        );
      await withControl(session(), { mode: 'write', schedules: false }, async (control) => {
        const tenant = await existing(control, tenantId);
        await control.tenants.remove(tenantId, tenant.version);
      });
      print(session().output, { tenantId, removed: true }, () => `Tenant ${tenantId} removed.`);
    });
}
