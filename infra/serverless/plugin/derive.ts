import { functionIds, machineIds } from '../../../lib/config/logical-ids.ts';
import { alarms, rollbackAlarms } from './alarms.ts';
import { clusterAccess } from './cluster.ts';
import { dashboard } from './dashboard.ts';
import { arnOf, type Declared, eventFunctions, invalid, type Resources, type Tree } from './declared.ts';
import { logGroups } from './log-groups.ts';
import { startRights } from './permissions.ts';
import { queues } from './queues.ts';
import { roles } from './roles.ts';
import { versions } from './versions.ts';

/** Properties by the key of the function or machine that gets them. */
type Additions = Readonly<Record<string, Tree>>;

/** What follows from a declaration. */
export interface Derived {
  readonly functions: Additions;
  readonly machines: Additions;
  readonly resources: Resources;
}

/**
 * A role of its own; the network where it reaches the cluster; the queue where nobody waits for its answer; one invocation
 * at a time for each shard, and one for the fan-out itself, which may still be there when the first shard begins.
 */
function functionAdditions(declared: Declared): Additions {
  const ofEvents = new Set(eventFunctions(declared));
  const onFailure = { type: 'sqs', arn: arnOf('FailedInvocations') };
  return Object.fromEntries(
    Object.entries(declared.functions).map(([key, { cluster, network, shards }]) => [
      key,
      {
        role: functionIds(key).role,
        ...(ofEvents.has(key) && { destinations: { onFailure } }),
        ...((cluster !== undefined || network) && declared.cluster && { vpc: declared.cluster.vpc }),
        ...(shards !== undefined && { reservedConcurrency: shards + 1 }),
      },
    ]),
  );
}

/**
 * A machine calls exact versions of its functions: a run finishes on the code it began with, whatever is deployed
 * meanwhile. History, which has the inputs, stays in the service: the log has no execution data, because parameters hold
 * task tokens.
 */
function machineAdditions({ machines }: Declared): Additions {
  return Object.fromEntries(
    Object.entries(machines).map(([key, { id }]) => [
      key,
      {
        type: 'STANDARD',
        role: arnOf(machineIds(id).role),
        useExactVersion: true,
        tracingConfig: { enabled: true },
        loggingConfig: {
          level: 'ALL',
          includeExecutionData: false,
          destinations: [arnOf(machineIds(id).logGroup)],
        },
      },
    ]),
  );
}

/** Two keys may become one logical id, as `made` and `Made`; one would silently take the place of the other. */
function checkIds({ functions, machines }: Declared): void {
  const ids = [
    ...Object.keys(functions).map((key) => functionIds(key).role),
    ...Object.values(machines).map(({ id }) => machineIds(id).role),
  ];
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined)
    throw invalid(
      `Resource "${twice}" follows twice: two functions or machines have names that become one logical id.`,
    );
}

/**
 * Everything that follows from functions, machines, rules and schedules. Errors: `SERVICE_INVALID` naming what is missing
 * or declared although it is derived.
 */
export function derive(declared: Declared): Derived {
  checkIds(declared);
  const watching = alarms(declared);
  const parts: readonly Resources[] = [
    logGroups(declared),
    roles(declared),
    startRights(declared),
    queues(declared),
    clusterAccess(declared),
    versions(declared, rollbackAlarms(watching)),
    watching,
    declared.idle ? {} : dashboard(declared, watching),
  ];
  const resources: Record<string, Resources[string]> = {};
  for (const [id, resource] of parts.flatMap((part) => Object.entries(part))) {
    if (declared.resources[id] !== undefined)
      throw invalid(
        `Resource "${id}" is derived (infra/serverless/plugin); declare it under another name or not at all.`,
      );
    resources[id] = resource;
  }
  return { functions: functionAdditions(declared), machines: machineAdditions(declared), resources };
}
