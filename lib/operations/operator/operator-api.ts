import type { Actor } from '../../audit/record.ts';
import { EpsilonError } from '../../errors/epsilon-error.ts';
import type { Backups } from '../../ports/backup/backups.ts';
import type { DocumentUpload, OperatorApi } from '../../ports/operator-api.ts';
import type { OperatorPorts } from '../../ports/operator-ports.ts';
import { checkTenantId } from '../../tenants/tenant.ts';
import { audited } from '../audit/audited.ts';
import {
  redriveExecution,
  startExecution,
  stopExecution,
  updateMapRun,
} from '../executions/steer-execution.ts';
import { clearImage } from '../images/clear-image.ts';
import { promoteModel, rollBackModel } from '../models/promote-model.ts';
import { acceptLevel } from '../quality/accept-level.ts';
import { backfillHours, excludeHours } from '../quality/learn-again.ts';
import { openGate } from '../quality/open-gate.ts';
import { readOverride } from '../scaling/capacity-records.ts';
import { overrideCapacity } from '../scaling/override-capacity.ts';
import { fireSchedule } from '../schedules/fire-schedule.ts';
import { pauseSchedule, resumeSchedule } from '../schedules/pause-schedule.ts';
import {
  addTenant,
  removeTenant,
  resumeTenant,
  suspendTenant,
  updateTenant,
} from '../tenants/change-tenant.ts';
import { actArguments as args } from './act-arguments.ts';
import { type Act, releaseQueriesAndActs } from './release-acts.ts';

const tenantSubject = ({ tenantId }: { readonly tenantId: string }) => `tenant ${tenantId}`;

/** `execution <machine>/<name>` of an ARN or of what names an execution otherwise. */
function executionSubject({ config }: OperatorPorts, given: string): string {
  const [machine, name] = given.startsWith('arn:') ? given.split(':').slice(6) : [];
  if (machine === undefined || name === undefined) return `execution ${given}`;
  return `execution ${machine.replace(`epsilon-${config.environment}-`, '')}/${name}`;
}

function modelActs(ports: OperatorPorts, act: Act) {
  return {
    promote: act({
      act: 'models.promote',
      args: args.promotion,
      subject: ([request]) => tenantSubject(request),
      perform: ([request]) => promoteModel(ports, request),
    }),
    rollback: act({
      act: 'models.rollback',
      args: args.tenant,
      subject: ([request]) => tenantSubject(request),
      perform: ([request]) => rollBackModel(ports, request),
    }),
  };
}

function tenantActs(ports: OperatorPorts, act: Act) {
  return {
    add: act({
      act: 'tenants.add',
      args: args.newTenant,
      subject: ([{ tenantId }]) => `tenant ${String(tenantId)}`,
      perform: ([tenant]) => addTenant(ports, { ...tenant }),
    }),
    update: act({
      act: 'tenants.update',
      args: args.tenantChanges,
      subject: ([request]) => tenantSubject(request),
      perform: ([request]) => updateTenant(ports, request),
    }),
    suspend: act({
      act: 'tenants.suspend',
      args: args.tenant,
      subject: ([request]) => tenantSubject(request),
      perform: ([request]) => suspendTenant(ports, request),
    }),
    resume: act({
      act: 'tenants.resume',
      args: args.tenant,
      subject: ([request]) => tenantSubject(request),
      perform: ([request]) => resumeTenant(ports, request),
    }),
    remove: act({
      act: 'tenants.remove',
      args: args.tenant,
      subject: ([request]) => tenantSubject(request),
      perform: ([request]) => removeTenant(ports, request),
    }),
  };
}

function executionActs(ports: OperatorPorts, act: Act) {
  return {
    start: act({
      act: 'executions.start',
      args: args.start,
      subject: ([{ machine, name }]) => `execution ${machine}/${name ?? ''}`,
      perform: ([request]) => startExecution(ports, request),
    }),
    redrive: act({
      act: 'executions.redrive',
      args: args.execution,
      subject: ([execution]) => executionSubject(ports, execution),
      perform: ([execution]) => redriveExecution(ports, execution),
    }),
    stop: act({
      act: 'executions.stop',
      args: args.stop,
      subject: ([execution]) => executionSubject(ports, execution),
      perform: ([execution, reason]) => stopExecution(ports, execution, reason),
    }),
    updateMapRun: act({
      act: 'mapRuns.update',
      args: args.mapRunChanges,
      subject: ([mapRunArn]) => `map run ${mapRunArn.split(':').slice(6).join(':') || mapRunArn}`,
      perform: ([mapRunArn, changes]) => updateMapRun(ports, mapRunArn, changes),
    }),
  };
}

function scheduleActs(ports: OperatorPorts, act: Act) {
  return {
    fire: act({
      act: 'schedules.fire',
      args: args.firing,
      subject: ([name]) => `schedule ${name}`,
      perform: ([name, scheduledTime]) => fireSchedule(ports, name, scheduledTime),
    }),
    pause: act({
      act: 'schedules.pause',
      args: args.schedule,
      subject: ([name]) => `schedule ${name}`,
      perform: ([name]) => pauseSchedule(ports, name),
    }),
    resume: act({
      act: 'schedules.resume',
      args: args.schedule,
      subject: ([name]) => `schedule ${name}`,
      perform: ([name]) => resumeSchedule(ports, name),
    }),
  };
}

function qualityActs(ports: OperatorPorts, act: Act) {
  return {
    partitions: (tenantId: string, limit: number) => ports.verdicts.partitions(tenantId, limit),
    open: act({
      act: 'quality.open',
      args: args.gate,
      subject: ([request]) => tenantSubject(request),
      perform: ([request]) => openGate(ports, request),
    }),
    accept: act({
      act: 'quality.accept',
      args: args.level,
      subject: ([request]) => tenantSubject(request),
      perform: ([request]) => acceptLevel(ports, request),
    }),
    exclude: act({
      act: 'quality.exclude',
      args: args.hours,
      subject: ([request]) => tenantSubject(request),
      perform: ([request]) => excludeHours(ports, request),
    }),
    backfill: act({
      act: 'quality.backfill',
      args: args.hours,
      subject: ([request]) => tenantSubject(request),
      perform: ([request]) => backfillHours(ports, request),
    }),
  };
}

/** Keeps a document below the tenant's own prefix and nowhere else. */
function putDocument({ objects, config }: OperatorPorts) {
  return async ({ tenantId, name, body }: DocumentUpload) => {
    if (name === '' || name.startsWith('/'))
      throw new EpsilonError('OBJECT_URI_INVALID', `${JSON.stringify(name)} is no place below a prefix.`);
    await objects.put(`s3://${config.dataBucket}/${checkTenantId(tenantId)}/documents/${name}`, body);
  };
}

function backupsOf({ backups }: OperatorPorts): Backups {
  if (backups) return backups;
  throw new EpsilonError(
    'BACKUPS_ELSEWHERE',
    'The control plane makes no backups of this environment itself; "backup" is for --target local.',
  );
}

function backupActs(ports: OperatorPorts, act: Act) {
  return {
    run: act({
      act: 'backups.run',
      args: args.nothing,
      subject: () => 'backup',
      perform: async () => backupsOf(ports).run(),
    }),
    prune: act({
      act: 'backups.prune',
      args: args.pruning,
      subject: () => 'backups and records',
      perform: async ([request]) => backupsOf(ports).prune(request),
    }),
  };
}

/** The operator's port for one actor: queries as they are, acts through their use cases and on record. */
export function createOperatorApi(ports: OperatorPorts, actor: Actor): OperatorApi {
  const { workflows, tenants, models, verdicts, schedules, runs, objects, audit, check } = ports;
  const act: Act = (definition) => audited(ports, actor, definition);
  return {
    config: ports.config,
    clock: ports.clock,
    workflows: {
      machines: () => workflows.machines(),
      describe: (execution) => workflows.describe(execution),
      list: (filter) => workflows.list(filter),
      history: (execution) => workflows.history(execution),
      mapRuns: (execution) => workflows.mapRuns(execution),
      describeMapRun: (mapRunArn) => workflows.describeMapRun(mapRunArn),
      ...executionActs(ports, act),
    },
    tenants: {
      get: (tenantId) => tenants.get(tenantId),
      list: () => tenants.list(),
      ...tenantActs(ports, act),
    },
    models: {
      get: (tenantId, modelVersion) => models.get(tenantId, modelVersion),
      list: (tenantId) => models.list(tenantId),
      live: (tenantId) => models.live(tenantId),
      ...modelActs(ports, act),
    },
    schedules: {
      list: () => schedules.list(),
      ...scheduleActs(ports, act),
    },
    images: {
      list: () => ports.imageRecords.list(),
      clear: act({
        act: 'images.clear',
        args: args.image,
        subject: ([{ image }]) => `image ${image}`,
        perform: ([request]) => clearImage(ports, request),
      }),
    },
    releases: releaseQueriesAndActs(ports, act),
    quality: {
      standing: (tenantId) => verdicts.standing(tenantId),
      standings: (tenantIds) => verdicts.standings(tenantIds),
      history: (tenantId, limit) => verdicts.history(tenantId, limit),
      ...qualityActs(ports, act),
    },
    scaling: {
      override: async () => (await readOverride(ports)) ?? null,
      set: act({
        act: 'scaling.override',
        args: args.capacity,
        subject: () => 'capacity',
        perform: ([request]) => overrideCapacity(ports, request),
      }),
    },
    runs: {
      getRun: (runId) => runs.getRun(runId),
      listRuns: (filter) => runs.listRuns(filter),
      listAttempts: (runId) => runs.listAttempts(runId),
    },
    objects: {
      get: (uri, options) => objects.get(uri, options),
      head: (uri) => objects.head(uri),
      list: (prefix) => objects.list(prefix),
      stream: (uri) => objects.stream(uri),
    },
    backups: backupActs(ports, act),
    documents: { put: putDocument(ports) },
    logs: ports.logs,
    audit: { list: (filter) => audit.list(filter) },
    ...(check ? { check } : {}),
    close: () => ports.close(),
  };
}
