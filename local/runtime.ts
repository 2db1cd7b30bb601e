import type { Actor } from '../lib/audit/record.ts';
import { recordsPolicy } from '../lib/backup/record-retention.ts';
import { backupSettings } from '../lib/backup/settings.ts';
import { createOperatorApi } from '../lib/operations/operator/operator-api.ts';
import { SystemClock } from '../lib/system/system-clock.ts';
import { fileJobLogs } from './adapters/job-logs.ts';
import { DrillTimer, drillProcess } from './backup/drill-timer.ts';
import { LocalBackups } from './backup/local-backups.ts';
import { repositoryFolder } from './backup/repository-folder.ts';
import { refuseSuperseded } from './backup/superseded.ts';
import { processActor } from './control/owner.ts';
import { type LocalService, loadLocalService } from './declaration/local-service.ts';
import { OutsideConditions } from './host/outside.ts';
import { LocalRuntime } from './local-runtime.ts';
import type { Runtime, RuntimeOptions } from './runtime-types.ts';
import { schedulesPort } from './schedule/schedules-port.ts';
import { openStateDirectory } from './stores/state-directory.ts';

export type { Runtime, RuntimeOptions } from './runtime-types.ts';

/** Conditions outside: while one holds, the engine's time stands still. */
function openOutside(options: RuntimeOptions, opened: { runtime?: LocalRuntime }): OutsideConditions {
  const outside: OutsideConditions = new OutsideConditions({
    clock: options.clock ?? new SystemClock(),
    signal: options.signal,
    report: (waiting) => {
      const { runtime } = opened;
      runtime?.log.warn(waiting.phase === 'begun' ? 'waiting' : 'going on', { ...waiting });
      if (waiting.phase === 'begun') runtime?.engine.hold(true);
      else if (outside.waitingFor().length === 0) runtime?.engine.hold(false);
      options.onWaiting?.(waiting);
    },
  });
  return outside;
}

/** What operators' acts write to; each of its calls does all or nothing, so that it can be made again. */
function patientStores(outside: OutsideConditions, { ports, stores }: LocalRuntime) {
  const { tenants, runs, leases, claims, locks, models, verdicts, workflows, releases } = ports;
  const patient = <T extends object>(given: T) => outside.patient(given);
  return {
    tenants: patient(tenants),
    runs: patient(runs),
    leases: patient(leases),
    claims: patient(claims),
    locks: patient(locks),
    models: patient(models),
    verdicts: patient(verdicts),
    workflows: patient(workflows),
    releases: patient(releases),
    audit: patient(stores.audit),
  };
}

/** How and where a writer's state is backed up, and what stays of it. */
function backupRules({ stateDir, backups }: RuntimeOptions, { backup, retention }: LocalService) {
  const settings = backupSettings(backup);
  const folder = repositoryFolder(stateDir, settings, backups);
  return { settings, folder, policy: recordsPolicy(retention) };
}

/** Opens the control plane in this process; a writer takes up everything that was under way. */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const opened: { runtime?: LocalRuntime } = {};
  const outside = openOutside(options, opened);
  const service = loadLocalService(options.projectDir, options.variables);
  // A reader makes no backups: settings that are wrong must not keep it from reading.
  const rules = options.mode === 'write' ? backupRules(options, service) : undefined;
  const { runtime, state } = await outside.waitOut(async () => {
    const directory = openStateDirectory(options.stateDir, options.mode);
    try {
      if (rules) await refuseSuperseded(directory.databases, rules.folder);
      return { state: directory, runtime: new LocalRuntime(options, directory, outside, service) };
    } catch (error) {
      directory.release();
      throw error;
    }
  });
  opened.runtime = runtime;
  try {
    await runtime.begin();
  } catch (error) {
    state.release();
    throw error;
  }
  const { ports, clock, ids, log } = runtime;
  runtime.metrics.beginFunctions([...runtime.service.functions.keys()]);
  const onFault = (error: Error) => options.onFault?.(error);
  const drills =
    rules &&
    new DrillTimer({
      stateDir: state.path,
      repository: rules.folder,
      drillDays: rules.settings.drillDays,
      clock,
      log,
      onFault,
      begin: () => drillProcess(options.projectDir, state.path, rules.folder),
    });
  const backups =
    rules && new LocalBackups({ state, ...rules, ...(drills && { drills }), clock, ids, log, onFault });
  const close = async () => {
    await backups?.close();
    await runtime.close();
  };
  const operator = {
    ...ports,
    ...patientStores(outside, runtime),
    logs: fileJobLogs(state.jobs),
    schedules: schedulesPort(runtime.scheduler),
    ...(backups ? { backups } : {}),
    close,
  };
  const controlFor = (actor: Actor) => createOperatorApi(operator, actor);
  return {
    control: controlFor(processActor()),
    controlFor,
    ports,
    state,
    metricsText: async () => {
      await runtime.metrics.readRecords(runtime.ports.runs, clock.now());
      runtime.metrics.set('epsilon_backup_age_seconds', backups?.age() ?? -1);
      const drill = backups?.lastDrill();
      runtime.metrics.set('epsilon_drill_age_seconds', drill?.ageSeconds ?? -1);
      runtime.metrics.set('epsilon_drill_recovery_seconds', drill?.recoverySeconds ?? -1);
      return runtime.metricsText();
    },
    backups: rules && { folder: rules.folder, everyMinutes: rules.settings.everyMinutes },
    keepBackups: async (everyMs) => backups?.keepUp(everyMs),
    waitingFor: () => runtime.waitingFor(),
    idle: () => runtime.idle(),
    close,
  };
}
