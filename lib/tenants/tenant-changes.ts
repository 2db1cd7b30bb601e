import type { ServiceConfig } from '../config/service-config.ts';
import { trainingOf } from '../config/training-of.ts';
import { checkSchema, type SchemaFault } from '../errors/check-schema.ts';
import { EpsilonError } from '../errors/epsilon-error.ts';
import { checkTenantId, type Tenant, tenantSchema } from './tenant.ts';

/** What the control plane gives a tenant's record itself. */
const given = ['status', 'version', 'createdAt', 'updatedAt'] as const;

/** A tenant to be added. */
export type NewTenant = Omit<Tenant, (typeof given)[number]>;

/** What may be changed of a tenant; the rest stays. */
export type TenantChanges = Partial<Omit<NewTenant, 'tenantId' | 'dataset'>> & {
  readonly dataset?: NewTenant['dataset'] | null;
};

/** Where and when a record is made. */
export interface TenantPlace {
  readonly config: Pick<ServiceConfig, 'environment' | 'kubernetes' | 'workloads' | 'dataBucket'>;
  /** ISO 8601. */
  readonly now: string;
}

function refused(field: string, why: string): EpsilonError {
  return new EpsilonError('TENANT_INVALID', `${field}: ${why}.`, { details: { field } });
}

/** Refuses a backend that the environment has not. */
function checkBackend({ tenantId, backend }: Tenant, { config }: TenantPlace): void {
  const { environment, kubernetes } = config;
  if (environment === 'local') return;
  if (backend === 'local')
    throw refused('backend', `on AWS jobs of tenant "${tenantId}" run on batch or eks`);
  if (backend === 'eks' && kubernetes === 'off')
    throw refused(
      'backend',
      `Kubernetes is off in ${environment} (infra/config/${environment}.yml); jobs run on batch`,
    );
}

/** The role of a tenant's jobs reads below the tenant's own prefix alone. */
function checkDataset({ tenantId, dataset }: Tenant, { config }: TenantPlace): void {
  if (!dataset || config.environment === 'local') return;
  const own = `s3://${config.dataBucket}/${tenantId}/`;
  if (!dataset.location.startsWith(own))
    throw refused('dataset.location', `on AWS it is below ${own}, which its jobs may read`);
}

/** Devices are not divided among jobs yet: a stage that asks for one is refused by name. */
function refuseGpu(resources: unknown): void {
  for (const [stage, asked] of Object.entries((resources ?? {}) as Record<string, unknown>))
    if (typeof asked === 'object' && asked !== null && 'gpu' in asked)
      throw refused(`resources.${stage}.gpu`, 'stages cannot ask for GPUs; jobs run on processors alone');
}

function parsed(record: Readonly<Record<string, unknown>>, place: TenantPlace): Tenant {
  checkTenantId(record['tenantId']);
  refuseGpu(record['resources']);
  const result = checkSchema(tenantSchema, record);
  if (!result.success) throw invalid(result.fault);
  trainingOf(place.config.workloads, result.data);
  checkBackend(result.data, place);
  checkDataset(result.data, place);
  return result.data;
}

function invalid({ path, unknownKey, sentence }: SchemaFault): EpsilonError {
  if (unknownKey === undefined) return refused(path.join('.'), sentence);
  return refused([...path, unknownKey].join('.'), 'no such field');
}

function checkFree(fields: Readonly<Record<string, unknown>>): void {
  const taken = given.find((field) => field in fields);
  if (taken) throw refused(taken, 'is given by the control plane');
}

/** The record of a new tenant. Errors: `TENANT_ID_INVALID`, those of `trainingOf`, `TENANT_INVALID` naming the field. */
export function newTenant(draft: Readonly<Record<string, unknown>>, place: TenantPlace): Tenant {
  checkFree(draft);
  const { now } = place;
  return parsed({ ...draft, status: 'active', version: 1, createdAt: now, updatedAt: now }, place);
}

/** A tenant's record with some fields changed; errors as of `newTenant`. */
export function changedTenant(
  tenant: Tenant,
  changes: Readonly<Record<string, unknown>>,
  place: TenantPlace,
): Tenant {
  checkFree(changes);
  if ('tenantId' in changes) throw refused('tenantId', 'cannot be changed; add another tenant');
  const { dataset, ...others } = { ...tenant, ...changes };
  // Null takes a contract away.
  const kept = dataset === null || dataset === undefined ? others : { ...others, dataset };
  return parsed({ ...kept, updatedAt: place.now }, place);
}
