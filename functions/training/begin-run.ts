import { z } from 'zod';
import { trainingOf } from '../../lib/config/training-of.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { QualityGateClosed, TenantBusy } from '../../lib/errors/run-errors.ts';
import { ConditionFailed } from '../../lib/errors/store-errors.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import {
  awsBatch,
  awsImages,
  awsKubernetes,
  awsStores,
  awsWorkflows,
  type Wired,
} from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { acquireLease, resumeRun, runIsOver } from '../../lib/operations/attempts/hold-lease.ts';
import { requireCurrent } from '../../lib/operations/backup/require-current.ts';
import { requireContract } from '../../lib/operations/images/require-contract.ts';
import { requireGoodImages } from '../../lib/operations/images/require-good-images.ts';
import { gateOf } from '../../lib/operations/quality/look-first.ts';
import { findActiveTenant } from '../../lib/operations/tenants/find-tenant.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import type { BasePorts, Ports } from '../../lib/ports/ports.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import { isDrivenByAirflow } from '../../lib/training/airflow-run.ts';
import { checkLogicalDate } from '../../lib/training/nights/logical-date.ts';
import { unjudgedError } from '../../lib/training/nights/night.ts';
import { executionSchema } from '../../lib/training/nights/night-input.ts';
import type { Run, RunStatus } from '../../lib/training/run.ts';
import { runInputSchema } from '../../lib/training/run-input.ts';
import { imageNames } from '../../lib/training/stages.ts';

const input = z.object({
  input: runInputSchema,
  execution: executionSchema,
});

type Event = z.output<typeof input>;

async function requireTenant(
  { tenants, jobs }: Pick<Ports, 'tenants' | 'jobs'>,
  tenantId: string,
): Promise<Tenant> {
  const tenant = await findActiveTenant({ tenants }, tenantId);
  if (!jobs[tenant.backend]) {
    const here = Object.entries(jobs).flatMap(([backend, runner]) => (runner ? [backend] : []));
    throw new EpsilonError(
      'BACKEND_UNAVAILABLE',
      `Tenant "${tenantId}" asks for the ${tenant.backend} backend; available here: ${here.join(', ')}.`,
    );
  }
  return tenant;
}

/** Airflow trains the tenants that their records give to it, and no other. */
function requireScheduler({ tenantId, schedule }: Tenant, id: string): void {
  if (schedule === 'airflow' || !isDrivenByAirflow({ executionArn: id })) return;
  throw new EpsilonError(
    'SCHEDULED_ELSEWHERE',
    `Tenant "${tenantId}" is not scheduled by Airflow (schedule: ${schedule}); "epsilon tenants update ${tenantId} --schedule airflow" gives it to Airflow.`,
    { exitCode: exitCodes.conflict },
  );
}

function draftRun(
  { clock, ids, random, config }: BasePorts,
  { input: asked, execution }: Event,
  tenant: Tenant,
): Run {
  const now = isoNow(clock);
  const { workload, epochs, modelFile, options } = trainingOf(config.workloads, tenant);
  return {
    runId: execution.name,
    tenantId: tenant.tenantId,
    logicalDate: checkLogicalDate(asked.logicalDate ?? now.slice(0, 10)),
    trigger: asked.nightArn === undefined ? 'manual' : 'schedule',
    executionArn: execution.id,
    redriveCount: execution.redriveCount,
    ...(asked.nightArn === undefined ? {} : { nightArn: asked.nightArn }),
    status: 'running',
    traceId: asked.traceId ?? ids.traceId(),
    ...(asked.traceparent === undefined ? {} : { traceparent: asked.traceparent }),
    modelVersion: ids.ulid(),
    modelType: tenant.modelType,
    workload,
    epochs,
    modelFile,
    backend: tenant.backend,
    tenantVersion: tenant.version,
    documentsUri: tenant.documentsUri,
    priority: tenant.priority,
    spotAllowed: tenant.capacity.spotAllowed,
    resources: tenant.resources as Run['resources'],
    jobOptions: {
      ...options,
      ...tenant.limits,
      ...tenant.reading,
      minSelfRetrieval: tenant.promotion.minSelfRetrieval,
    } as Run['jobOptions'],
    images: {} as Run['images'],
    seed: Math.floor(random() * 2 ** 31),
    fence: 0,
    startedAt: now,
    ...(asked.plan?.deadline === undefined ? {} : { deadline: asked.plan.deadline }),
    ...(asked.plan?.spotUntil === undefined ? {} : { spotUntil: asked.plan.spotUntil }),
  };
}

/** Why a run did not train: in words, and by a name where the fault is the platform's. */
type UntrainedBecause = Pick<Run, 'cause' | 'error'>;

const aws = [awsStores, awsImages, awsBatch, awsKubernetes, awsWorkflows] as const;

/** Begins a tenant's run: quality gate, lease, image digests, record, and no digest that is marked as bad or speaks another job contract. Repeating it continues the same run. */
export function createBeginRun(ports: Wired<typeof aws>) {
  const { runs, images, metrics } = ports;

  /** Writes how a run that did not train ended; a run that is on record as running or finished is left alone. */
  async function recordUntrained(draft: Run, status: RunStatus, why: UntrainedBecause): Promise<void> {
    const stored = await runs.createRun({ ...draft, status, ...why });
    if (stored.status === status || stored.executionArn !== draft.executionArn) return;
    await runs
      .updateRun(draft.runId, { status, ...why }, { status: ['busy', 'skipped'] })
      .catch((error: unknown) => {
        if (!(error instanceof ConditionFailed)) throw error;
      });
  }

  /**
   * Nothing is trained behind a closed gate. Data that nobody has looked at is looked at first. The run has on record which objects were
   * judged; its first job refuses others.
   */
  async function passGate(draft: Run): Promise<Run> {
    const { closed, judged } = await gateOf(ports, draft);
    if (!closed) {
      const objects = judged ? { judgedDigest: judged.digest, judgedAt: judged.at } : {};
      return { ...draft, jobOptions: { ...draft.jobOptions, ...objects } };
    }
    const { because: cause, unjudged } = closed;
    await recordUntrained(draft, 'skipped', { cause, ...(unjudged ? { error: unjudgedError } : {}) });
    throw new QualityGateClosed(draft.tenantId, cause);
  }

  async function takeLease(draft: Run): Promise<number> {
    try {
      return await acquireLease(ports, draft, draft.redriveCount);
    } catch (error) {
      if (error instanceof TenantBusy) await recordUntrained(draft, 'busy', { cause: error.message });
      throw error;
    }
  }

  /** The run was on record already: from an earlier try of this state or of the execution, or because the tenant was busy then. */
  async function continueRun(stored: Run, { redriveCount, fence, images: resolved }: Run): Promise<Run> {
    const changes = Object.keys(stored.images).length === 0 ? { images: resolved } : {};
    const run = await resumeRun(ports, stored, { redriveCount, fence, changes });
    if (run) return run;
    throw runIsOver(stored);
  }

  return async (event: Event) => {
    await requireCurrent(ports);
    const tenant = await requireTenant(ports, event.input.tenantId);
    requireScheduler(tenant, event.execution.id);
    const drafted = draftRun(ports, event, tenant);
    noteTraceFields(drafted);
    const draft = await passGate(drafted);
    const fence = await takeLease(draft);
    const resolved = await images.resolve(imageNames, draft.workload);
    const wanted = { ...draft, images: resolved, fence };
    const stored = await runs.createRun(wanted);
    const run = stored.fence === fence ? stored : await continueRun(stored, wanted);
    await requireGoodImages(ports, run);
    await requireContract(ports, run);
    metrics.count('RunsBegun', 1, { trigger: run.trigger });
    return {
      runId: run.runId,
      tenantId: run.tenantId,
      logicalDate: run.logicalDate,
      traceId: run.traceId,
      modelVersion: run.modelVersion,
    };
  };
}

export const handler = defineHandler({
  name: 'beginRun',
  input,
  aws,
  create: createBeginRun,
});
