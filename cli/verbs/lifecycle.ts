import type { Command } from 'commander';
import { recordsPolicy } from '../../lib/backup/record-retention.ts';
import { backupSettings } from '../../lib/backup/settings.ts';
import { environmentVariables } from '../../lib/config/environment.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import type { Declared, EnvironmentReport } from '../../lib/ports/environment-report.ts';
import type { ScheduleSummary } from '../../lib/ports/schedules.ts';
import { imageNames } from '../../lib/training/stages.ts';
import { faultsOf } from '../../local/asl/definition/compile.ts';
import { resolveIntrinsics } from '../../local/asl/definition/resolve-intrinsics.ts';
import { compilePattern } from '../../local/bus/pattern.ts';
import { serveHttp, serveSocket } from '../../local/control/server.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';
import { deliveryOf } from '../../local/notify/settings.ts';
import { openRuntime, type Runtime } from '../../local/runtime.ts';
import { parseSchedule } from '../../local/schedule/expression.ts';
import { forecastOf, measureState } from '../../local/state/usage.ts';
import { imageOf } from '../../local/workloads/host-workloads.ts';
import { print } from '../print.ts';
import { command, pause, reportsOf, type Session, withControl } from '../session.ts';
import { table } from '../table.ts';
import { requireLocal } from '../target.ts';
import { scaleOf } from './executions.ts';
import { forecastText } from './state.ts';

/** Port of metrics and control API where none is named. */
const defaultPort = 7411;

/** Every fault of the service's declarations, each with its place. */
function serviceFaults(projectDir: string): string[] {
  const variables = environmentVariables();
  const { service, config, notify, backup, retention } = loadLocalService(projectDir, variables);
  const faults: string[] = [];
  for (const { key, definition } of service.machines) {
    for (const fault of faultsOf(resolveIntrinsics(definition, service.resolve)))
      faults.push(`machine ${key}, ${fault.path}: ${fault.message}`);
  }
  const attempt = (place: string, check: () => unknown) => {
    try {
      check();
    } catch (error) {
      faults.push(`${place}: ${(error as Error).message}`);
    }
  };
  for (const schedule of service.schedules)
    attempt(`schedule ${schedule.name}`, () => parseSchedule(schedule.expression, schedule.timezone));
  for (const rule of service.rules) attempt(`rule ${rule.name}`, () => compilePattern(rule.pattern));
  attempt('infra/config/local.yml', () => deliveryOf(notify, { projectDir, variables }));
  attempt('infra/config/local.yml', () => backupSettings(backup));
  attempt('infra/config/local.yml', () => recordsPolicy(retention));
  const place = { projectDir, variables, workloads: config.workloads };
  for (const name of Object.keys(config.workloads))
    attempt(`workload ${name}`, () => imageNames.map((image) => imageOf(place, name, image)));
  return faults;
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw new EpsilonError('USAGE', `--port ${text} is not a port from 0 to 65535.`);
}

/** Where backups go, and how often. */
function backupText({ backups }: Pick<Runtime, 'backups'>): string {
  if (!backups || backups.everyMinutes === 'off') return 'No backups are made (backup.everyMinutes is off).';
  return `Backups every ${backups.everyMinutes} minutes into ${backups.folder}`;
}

async function start(session: Session, options: { port: string; retryScale?: string }): Promise<void> {
  const { stateDir } = requireLocal(
    session.target,
    '"epsilon start"',
    'on AWS the control plane runs by itself once it is deployed (npx serverless deploy).',
  );
  const port = portOf(options.port);
  const runtime = await openRuntime({
    projectDir: session.projectDir,
    stateDir,
    mode: 'write',
    variables: environmentVariables(),
    clock: session.clock,
    ...scaleOf(session.target, options.retryScale),
    ...reportsOf(session),
  });
  try {
    const socket = await serveSocket(runtime.controlFor, runtime.state.socket, runtime);
    try {
      const http = await serveHttp(runtime.controlFor, {
        port,
        tokenFile: runtime.state.tokenFile,
        self: runtime,
      });
      const usage = measureState(runtime.state.path);
      const forecast = forecastOf(usage, session.clock.now());
      const disk = { free: usage.free, forecast: forecast ?? null };
      print(
        session.output,
        {
          status: 'started',
          socket: socket.at,
          http: http.at,
          stateDir: runtime.state.path,
          disk,
          backups: runtime.backups ?? null,
        },
        () =>
          `Control plane of ${runtime.state.path}: ${forecastText(usage, forecast)}\nhealth ${http.at}/healthz, metrics ${http.at}/metrics, control API ${http.at}/rpc (token in ${runtime.state.tokenFile})\n${backupText(runtime)}\nStop with Ctrl-C; jobs that run go on and are taken up by the next start.`,
      );
      await runtime.keepBackups();
      while (!session.signal.aborted) await pause(session, 3_600_000);
      await http.close();
    } finally {
      await socket.close();
    }
  } finally {
    await runtime.close();
  }
  session.output.warn('Stopped; nothing is lost.\n');
}

async function validate(session: Session): Promise<void> {
  const faults = serviceFaults(session.projectDir);
  const { service } = loadLocalService(session.projectDir, environmentVariables());
  const counts = {
    functions: service.functions.size,
    machines: service.machines.length,
    schedules: service.schedules.length,
    rules: service.rules.length,
  };
  if (faults.length > 0)
    throw new EpsilonError('SERVICE_INVALID', `${faults.length} faults:\n  ${faults.join('\n  ')}`, {
      details: { faults },
    });
  const deployed =
    session.target.kind === 'aws'
      ? await checkDeployed(session, {
          machines: service.machines.map(({ key }) => key),
          schedules: service.schedules.map(({ name }) => name),
        })
      : undefined;
  print(session.output, { status: 'valid', ...counts, ...(deployed ? { deployed } : {}) }, () => {
    const declared = `Valid: ${counts.functions} functions, ${counts.machines} state machines, ${counts.schedules} schedules, ${counts.rules} rules.`;
    if (!deployed) return declared;
    const { environment, region, accountId, machines, schedules, parameters } = deployed;
    return `${declared}\nDeployed: ${environment} in ${region} of account ${accountId}: ${machines} state machines with their alias, ${schedules} schedules, ${parameters} parameters; table and bucket answer.`;
  });
}

/** Holds what is deployed against what is declared; `ENVIRONMENT_INCOMPLETE` lists what differs. */
async function checkDeployed(session: Session, declared: Declared): Promise<EnvironmentReport | undefined> {
  const report = await withControl(session, { mode: 'read' }, async (control) => control.check?.(declared));
  if (!report || report.faults.length === 0) return report;
  const { environment, region, faults } = report;
  throw new EpsilonError(
    'ENVIRONMENT_INCOMPLETE',
    `${environment} in ${region}: ${faults.length} faults:\n  ${faults.join('\n  ')}`,
    { exitCode: exitCodes.backend, details: { ...report } },
  );
}

const stateOf = ({ enabled, paused }: ScheduleSummary) => (paused ? 'paused' : enabled ? 'on' : 'off');

async function switchSchedule(session: Session, name: string, verb: 'pause' | 'resume'): Promise<void> {
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    await control.schedules[verb](name);
    const schedule = (await control.schedules.list()).find((one) => one.name === name);
    print(session.output, { schedule }, () =>
      verb === 'pause'
        ? `Paused ${name}: nothing is delivered until "${command(session, `schedules resume ${name}`)}".`
        : `Resumed ${name}${schedule?.next === undefined ? '' : `; next ${schedule.next}`}. What fell due while it was paused is not delivered.`,
    );
  });
}

/** `start`, `validate`, `schedules ...`. */
export function addService(program: Command, session: () => Session): void {
  program
    .command('start')
    .description('run the control plane: schedules, events, jobs, metrics and control API')
    .option('--port <port>', 'port on 127.0.0.1, 0 for any', String(defaultPort))
    .option('--retry-scale <0-1>', 'factor on the pauses of retries')
    .action((options: { port: string; retryScale?: string }) => start(session(), options));
  program
    .command('validate')
    .description('check configuration, state machines, schedules and rules; on AWS also what is deployed')
    .action(() => validate(session()));
  const schedules = program.command('schedules').description('list, fire, pause and resume schedules');
  schedules
    .command('list')
    .description('list schedules and their next times')
    .action(() =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const all = await control.schedules.list();
        print(session().output, { schedules: all }, () =>
          table(
            session().output,
            ['SCHEDULE', 'EXPRESSION', 'ZONE', 'STATE', 'NEXT', 'PREVIOUS'],
            all.map((one) => [
              one.name,
              one.expression,
              one.timezone,
              stateOf(one),
              one.next ?? '',
              one.previous ?? '',
            ]),
          ),
        );
      }),
    );
  schedules
    .command('fire')
    .description("deliver a schedule's own event now")
    .argument('<schedule>')
    .option('--at <time>', 'scheduled time (ISO 8601)')
    .action((name: string, { at }: { at?: string }) =>
      withControl(session(), { mode: 'write', schedules: false }, async (control) => {
        const time = at ?? isoNow(session().clock);
        await control.schedules.fire(name, time);
        print(session().output, { schedule: name, scheduledTime: time }, () => `Fired ${name} for ${time}.`);
      }),
    );
  schedules
    .command('pause')
    .description('keep a schedule from delivering until it is resumed')
    .argument('<schedule>')
    .action((name: string) => switchSchedule(session(), name, 'pause'));
  schedules
    .command('resume')
    .description('let a paused schedule deliver again, from its next time on')
    .argument('<schedule>')
    .action((name: string) => switchSchedule(session(), name, 'resume'));
}
