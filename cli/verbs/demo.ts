import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { environmentVariables } from '../../lib/config/environment.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { nightlyTraining } from '../../lib/training/machines.ts';
import { serveSocket } from '../../local/control/server.ts';
import { type DemoFamily, demoFamilies, gatherFamily } from '../../local/demo/corpora.ts';
import { openRuntime, type Runtime } from '../../local/runtime.ts';
import { beginNight } from '../demo/next-night.ts';
import { answers, nightText, reasons, reportTable, tenantReport } from '../demo/report.ts';
import { causeText, schemaVersion } from '../output.ts';
import { print } from '../print.ts';
import { command, reportsOf, type Session } from '../session.ts';
import { requireLocal } from '../target.ts';
import { transitionsOf, watch } from '../watch/watch.ts';
import { scaleOf } from './executions.ts';
import { tenantOf } from './tenants.ts';

const machine = nightlyTraining.key;

async function addFamilies(
  session: Session,
  runtime: Runtime,
  families: readonly DemoFamily[],
): Promise<void> {
  const { control, state } = runtime;
  for (const family of families) {
    if (await control.tenants.get(family.tenantId)) continue;
    const folder = join(state.path, 'objects', 'demo-documents', family.tenantId);
    const files = gatherFamily(join(session.projectDir, 'node_modules'), family, folder);
    const options = {
      documentsUri: pathToFileURL(folder).href,
      backend: 'local',
      priority: '50',
      schedule: 'on',
      maxTokens: String(family.maxTokens),
      spot: true,
    };
    await control.tenants.add(tenantOf(family.tenantId, options, control.config.workloads));
    if (!session.output.json)
      session.output.write(
        `  tenant ${family.tenantId.padEnd(14)} ${files} documents from the packages installed here\n`,
      );
  }
}

async function night(session: Session, runtime: Runtime, retryScale: number): Promise<void> {
  const { control } = runtime;
  const began = session.clock.now();
  const { arn } = await beginNight(session, control);
  const { execution, views, told } = await watch(session, control, arn, retryScale);
  const tenants = await Promise.all(views.map((view) => tenantReport(control, view)));
  const total = tenants.reduce((sum, tenant) => sum + tenant.transitions, await transitionsOf(control, arn));
  const now = session.clock.now();
  const document = {
    status: execution.status.toLowerCase(),
    seconds: (now - began) / 1000,
    transitions: total,
    tenants,
  };
  const found = session.output.json
    ? ''
    : (await reasons(control, views, told)) + (await answers(session, control, tenants));
  print(
    session.output,
    { schemaVersion, ...document },
    () =>
      `\n${reportTable(session.output, tenants)}\n\n${found}\n\n${nightText(execution, { began, now, transitions: total })}\nAsk more:\n    ${command(session, `query --tenant ${tenants.find((tenant) => tenant.status === 'succeeded')?.tenantId ?? 'acme'} "your question"`)}`,
  );
  if (execution.status === 'SUCCEEDED') return;
  throw new EpsilonError(
    'RUN_FAILED',
    `The night failed: ${execution.error}: ${causeText(execution.cause)}. Fix the cause, then run:\n    ${command(session, `redrive ${machine}/${execution.name}`)}`,
    { exitCode: exitCodes.runFailed },
  );
}

interface DemoOptions {
  readonly tenants: string;
  readonly retryScale: string;
}

async function demo(session: Session, options: DemoOptions): Promise<void> {
  const count = Number(options.tenants);
  if (!Number.isInteger(count) || count < 1 || count > demoFamilies.length)
    throw new EpsilonError(
      'USAGE',
      `--tenants ${options.tenants} is not a whole number from 1 to ${demoFamilies.length}.`,
    );
  const { stateDir } = requireLocal(
    session.target,
    '"epsilon demo"',
    `on AWS add tenants and run ${machine}.`,
  );
  const runtime = await openRuntime({
    projectDir: session.projectDir,
    stateDir,
    mode: 'write',
    variables: environmentVariables(),
    clock: session.clock,
    schedules: true,
    ...scaleOf(session.target, options.retryScale),
    ...reportsOf(session),
  });
  try {
    const socket = await serveSocket(runtime.controlFor, runtime.state.socket, runtime);
    try {
      if (!session.output.json)
        session.output.write(
          `Epsilon on this host, state in ${runtime.state.path} (pauses of retries x ${options.retryScale})\n`,
        );
      await addFamilies(session, runtime, demoFamilies.slice(0, count));
      await night(session, runtime, Number(options.retryScale));
    } finally {
      await socket.close();
    }
  } finally {
    await runtime.close();
  }
}

/** `demo` */
export function addDemo(program: Command, session: () => Session): void {
  program
    .command('demo')
    .description('run a night of training on this host, from the schedule to a search answer')
    .option('--tenants <n>', 'how many demo tenants', String(demoFamilies.length))
    .option('--retry-scale <0-1>', 'factor on the pauses of retries', '0.01')
    .action((options: DemoOptions) => demo(session(), options));
}
