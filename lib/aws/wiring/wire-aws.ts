import { deploymentOf } from '../../config/deployment.ts';
import { environmentVariables } from '../../config/environment.ts';
import { loadConfig } from '../../config/load-config.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { JobRunner } from '../../ports/job-runner.ts';
import type { Ports } from '../../ports/ports.ts';
import { SystemClock } from '../../system/system-clock.ts';
import { systemIds } from '../../system/system-ids.ts';
import { createPowertoolsLog } from '../powertools/log.ts';
import { createPowertoolsMetrics } from '../powertools/metrics.ts';
import type { TracingSetup } from '../powertools/tracing.ts';
import type { AwsBase, PortsPart } from './base.ts';
import { createClients } from './clients.ts';

/** Ports that only a part brings. */
const partial = [
  'tenants',
  'runs',
  'leases',
  'claims',
  'locks',
  'models',
  'verdicts',
  'objects',
  'callbacks',
  'events',
  'notifier',
  'images',
  'workflows',
] as const;

type PartialPorts = Pick<Ports, (typeof partial)[number]>;

/** Stands for a port the function was not wired with: touching it is a fault of ours and says which. */
function absent(port: string): never {
  return new Proxy({} as never, {
    get: (_, method) => {
      throw new EpsilonError(
        'PORT_NOT_WIRED',
        `This function uses ${port}.${String(method)} but is not wired with it; name the part in its "aws" list.`,
        { exitCode: exitCodes.backend },
      );
    },
  });
}

/** Ports of a base and its parts; a port that no part brings refuses by name when it is touched. */
export function assemblePorts(base: AwsBase, parts: readonly PortsPart[]): Ports {
  const runners: JobRunner[] = [];
  const found: Partial<Ports> = {};
  for (const { runners: more = [], ...ports } of parts) {
    runners.push(...more);
    Object.assign(found, ports);
  }
  const { config, clock, ids, random, log, metrics } = base;
  return {
    config,
    clock,
    ids,
    random,
    log,
    metrics,
    ...(Object.fromEntries(partial.map((port) => [port, absent(port)])) as unknown as PartialPorts),
    jobs: new Map(runners.map((runner) => [runner.backend, runner])),
    ...found,
  };
}

/** The tracer, on Lambda only and unless it is switched off: elsewhere nobody collects segments. */
async function tracingOf(
  variables: Readonly<Record<string, string | undefined>>,
): Promise<TracingSetup | undefined> {
  const collected = variables['AWS_LAMBDA_FUNCTION_NAME'] && variables['AWS_XRAY_DAEMON_ADDRESS'];
  if (!collected || variables['POWERTOOLS_TRACE_ENABLED'] === 'false') return undefined;
  const [{ Tracer }, { createTracing }] = await Promise.all([
    import('@aws-lambda-powertools/tracer'),
    import('../powertools/tracing.ts'),
  ]);
  return createTracing(new Tracer({ serviceName: 'epsilon', captureHTTPsRequests: false }));
}

/**
 * Ports of a deployed function: settings and resources from its environment, clients built once per process, and of the
 * adapters those that `parts` name. Errors: `CONFIG_INVALID`, `DEPLOYMENT_INCOMPLETE`, each naming the variable.
 */
export async function wireAws(
  parts: readonly (() => Promise<{ readonly part: (base: AwsBase) => PortsPart }>)[],
  variables = environmentVariables(),
): Promise<Ports> {
  const config = loadConfig({ variables });
  const deployment = deploymentOf(variables);
  const tracing = await tracingOf(variables);
  const clock = new SystemClock();
  const base: AwsBase = {
    config,
    deployment,
    clients: createClients({
      region: config.region,
      ...(tracing ? { onClient: (client: object) => tracing.traceClient(client) } : {}),
    }),
    clock,
    ids: systemIds(clock),
    random: Math.random,
    log: createPowertoolsLog({ environment: config.environment }),
    metrics: createPowertoolsMetrics(config.environment),
  };
  const loaded = await Promise.all(parts.map((load) => load()));
  const ports = assemblePorts(
    base,
    loaded.map(({ part }) => part(base)),
  );
  return tracing ? { ...ports, tracing: tracing.tracing } : ports;
}
