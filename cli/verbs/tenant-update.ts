import type { Command } from 'commander';
import type { Workloads } from '../../lib/config/workloads.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { findTenant } from '../../lib/operations/tenants/find-tenant.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import { changedTenant, type TenantChanges } from '../../lib/tenants/tenant-changes.ts';
import { documentsUriOf } from '../documents/documents.ts';
import {
  checkReadable,
  dryRun,
  type LimitWords,
  limitsOf,
  type ReadingWords,
  readingOf,
  surveyText,
} from '../documents/tenant-documents.ts';
import { checkDocuments, documentsPrefix, type Uploaded, uploadDocuments } from '../documents/upload.ts';
import { withHints } from '../hints.ts';
import { print } from '../print.ts';
import { readContract } from '../quality/contract-file.ts';
import { type Session, withControl } from '../session.ts';
import { type PromotionWords, promotionOf } from '../tenants/promotion.ts';
import {
  addTrainingOptions,
  namesTraining,
  type TrainingWords,
  trainingFields,
} from '../tenants/training.ts';

interface UpdateOptions extends ReadingWords, LimitWords, TrainingWords, PromotionWords {
  readonly documents?: string;
  readonly dryRun?: boolean;
  readonly backend?: string;
  readonly schedule?: string;
  readonly priority?: string;
  readonly spot?: boolean;
  readonly dataset?: string;
}

/** The fields that options name. Limits and reading are replaced whole, so the record's own are needed. */
function changesOf(tenant: Tenant, options: UpdateOptions, workloads: Workloads): TenantChanges {
  const { backend, schedule, priority, spot, maxTokens, maxDocuments, dataset } = options;
  const { textColumn, idColumn, badRows } = options;
  const limits = maxTokens !== undefined || maxDocuments !== undefined;
  const reading = textColumn !== undefined || idColumn !== undefined || badRows !== undefined;
  const changes = {
    ...(namesTraining(options) ? trainingFields(workloads, options, tenant) : {}),
    ...(backend === undefined ? {} : { backend }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(priority === undefined ? {} : { priority: priority.trim() === '' ? Number.NaN : Number(priority) }),
    ...(spot === undefined ? {} : { capacity: { spotAllowed: spot } }),
    ...(limits ? { limits: limitsOf(options, tenant.limits) } : {}),
    ...(reading ? readingOf(options, tenant.reading) : {}),
    ...(options.maxRegression === undefined ? {} : { promotion: promotionOf(options, tenant.promotion) }),
    ...(dataset === undefined ? {} : { dataset: dataset === 'none' ? null : readContract(dataset) }),
  };
  return changes as TenantChanges;
}

/** Where the documents will be after the update: as named here, or uploaded on AWS. */
async function moveDocuments(
  session: Session,
  control: OperatorApi,
  tenant: Tenant,
  given: string,
): Promise<{ readonly documentsUri: string; readonly uploaded?: Uploaded }> {
  await checkReadable(session, given, tenant);
  if (session.target.kind === 'local') return { documentsUri: await documentsUriOf(given) };
  if (given.startsWith('s3://')) {
    await checkDocuments(control, tenant.tenantId, given);
    return { documentsUri: given };
  }
  const uploaded = await uploadDocuments(session, control, tenant.tenantId, given);
  if (uploaded.others > 0)
    session.output.warn(
      `${uploaded.others} objects below ${documentsPrefix(control, tenant.tenantId)} are not among these documents; they are trained on too.\n`,
    );
  return { documentsUri: uploaded.documentsUri, uploaded };
}

async function update(session: Session, tenantId: string, options: UpdateOptions): Promise<void> {
  const { documents, dryRun: dry = false } = options;
  await withControl(session, { mode: dry ? 'read' : 'write', schedules: false }, async (control) => {
    const before = await withHints(session, () => findTenant(control, tenantId));
    const changes = changesOf(before, options, control.config.workloads);
    if (documents === undefined && !dry && Object.keys(changes).length === 0)
      throw new EpsilonError('USAGE', 'Nothing to change: name at least one option.');
    // The other changes first: where they are refused nothing is uploaded.
    const now = isoNow(session.clock);
    const after = changedTenant(before, { ...changes }, { config: control.config, now });
    if (dry) {
      const survey = await dryRun(documents ?? before.documentsUri, after, control.objects);
      print(session.output, { survey }, () => `${surveyText(survey)}\nNothing was changed.`);
      return;
    }
    const moved =
      documents === undefined ? undefined : await moveDocuments(session, control, after, documents);
    const all = { ...changes, ...(moved ? { documentsUri: moved.documentsUri } : {}) };
    const tenant = await withHints(session, () => control.tenants.update({ tenantId, changes: all }));
    print(
      session.output,
      { tenant, ...(moved?.uploaded ? { documents: moved.uploaded } : {}) },
      () => `Tenant ${tenantId} changed; runs from now on go by it.`,
    );
  });
}

/** Options that say how documents are read; `tenants add` and `tenants update` have them both. */
export function addReadingOptions(verb: Command): Command {
  return verb
    .option('--text-column <name>', 'CSV column or JSONL key that holds the text (text)')
    .option('--id-column <name>', 'CSV column or JSONL key that names a document (id)')
    .option('--bad-rows <0-1>', 'share of bad rows that is tolerated in a file (0.01)')
    .option('--dry-run', 'say what would be read and what left out, and change nothing');
}

/** `epsilon tenants update` */
export function addTenantUpdate(tenants: Command, session: () => Session): void {
  const verb = tenants
    .command('update')
    .description("change a tenant's record; fields that are not named stay")
    .argument('<tenant>')
    .option('--documents <path>', 'folder, glob, file (uploaded when on AWS) or s3://bucket/prefix/')
    .option('--backend <backend>', 'local, batch or eks')
    .option('--priority <0-100>', 'order at night; 100 is first')
    .option('--schedule <on|off|airflow>', 'train every night, or leave that to Airflow')
    .option('--max-tokens <n>', 'cap of training tokens, or "none"')
    .option('--max-documents <n>', 'cap of documents, or "none"')
    .option('--dataset <file>', 'contract that its dataset is checked against every hour, or "none"')
    .option('--max-regression <0-1>', 'share of passages that a new model may find less, or "none" (0.05)')
    .option('--spot', 'use spot capacity too')
    .option('--no-spot', 'never use spot capacity');
  addReadingOptions(addTrainingOptions(verb)).action((tenantId: string, options: UpdateOptions) =>
    update(session(), tenantId, options),
  );
}
