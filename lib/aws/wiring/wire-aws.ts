import { deploymentOf } from '../../config/deployment.ts';
import { environmentVariables } from '../../config/environment.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { BasePorts } from '../../ports/ports.ts';
import { SystemClock } from '../../system/system-clock.ts';
import { systemIds } from '../../system/system-ids.ts';
import { createPowertoolsLog } from '../powertools/log.ts';
import { createPowertoolsMetrics } from '../powertools/metrics.ts';
import type { AwsBase, AwsPart, PartPorts, Wired } from './base.ts';
import { createClients } from './clients.ts';

/** Loads parts of AWS and makes the ports of a base and these parts. */
export async function assemblePorts<const A extends readonly AwsPart[]>(
  base: AwsBase,
  parts: A,
): Promise<Wired<A>> {
  const makers = await Promise.all(parts.map((load) => load()));
  let brought: PartPorts = {};
  for (const make of makers) {
    const ports = make(base);
    brought = { ...brought, ...ports, jobs: { ...brought.jobs, ...ports.jobs } };
  }
  const { deployment: _, clients: _clients, ...own } = base;
  const ports: BasePorts & PartPorts = { ...own, ...brought };
  // The compiler does not follow the types of a list's elements through a loop; each part's are checked where it is declared.
  return ports as Wired<A>;
}

/**
 * Ports of a deployed function: settings and resources from its environment, clients built once per process, and of the
 * adapters those that `parts` name. Errors: `CONFIG_INVALID`, `DEPLOYMENT_INCOMPLETE`, each naming the variable.
 */
export async function wireAws<const A extends readonly AwsPart[]>(
  parts: A,
  variables = environmentVariables(),
): Promise<Wired<A>> {
  const config = loadConfig({ variables });
  const deployment = deploymentOf(variables);
  const clock = new SystemClock();
  const tools = {
    clients: createClients({ region: deployment.standsIn ?? config.region }),
    clock,
    ids: systemIds(clock),
    random: Math.random,
  };
  const { placeTableName } = deployment;
  const place =
    placeTableName === undefined
      ? undefined
      : await (await import('../table/serving-place.ts')).servingPlace(tools, placeTableName);
  const base: AwsBase = {
    config: place ? { ...config, dataBucket: place.bucket } : config,
    deployment: place ? { ...deployment, tableName: place.table } : deployment,
    ...tools,
    ...(place && { place }),
    log: createPowertoolsLog({ environment: config.environment }),
    metrics: createPowertoolsMetrics(config.environment),
  };
  return assemblePorts(base, parts);
}
