import { machineIds as idsOf } from '../../lib/config/logical-ids.ts';
import type { Faults } from './faults.ts';
import { isTree, logicalIdIn } from './names.ts';
import type { Resource } from './triggers.ts';

/** What an alias or a version points to, as written. */
function pointsTo({ type, properties }: Resource): unknown {
  if (type === 'AWS::StepFunctions::StateMachineVersion') return properties['StateMachineArn'];
  if (type !== 'AWS::StepFunctions::StateMachineAlias') return undefined;
  const { DeploymentPreference: preference, RoutingConfiguration: routing } = properties;
  const [first] = Array.isArray(routing) ? (routing as unknown[]) : [];
  const route = isTree(preference) ? preference : isTree(first) ? first : {};
  return route['StateMachineVersionArn'];
}

/**
 * Logical ids of versions and aliases to the machine they stand for: those that are derived for every machine when the
 * service is packaged, and those that are declared. Here a machine has one version, the file's, and an execution keeps the
 * definition it began with; so an alias is another name of its machine.
 */
export function aliasesOf(
  resources: readonly Resource[],
  machineIds: ReadonlySet<string>,
  faults: Faults,
): Map<string, string> {
  const byId = new Map(resources.map((resource) => [resource.id, resource]));
  const machineOf = (value: unknown, depth: number): string | undefined => {
    const id = logicalIdIn(value);
    if (id === undefined || machineIds.has(id) || depth > 2) return id;
    const next = byId.get(id);
    return next && machineOf(pointsTo(next), depth + 1);
  };
  const found = new Map(
    [...machineIds].flatMap((id) => [
      [idsOf(id).version, id],
      [idsOf(id).liveAlias, id],
    ]),
  );
  for (const resource of resources) {
    if (!/^AWS::StepFunctions::StateMachine(Alias|Version)$/.test(resource.type)) continue;
    const machine = machineOf(pointsTo(resource), 0);
    if (machine !== undefined && machineIds.has(machine)) found.set(resource.id, machine);
    else faults.add(resource.place, 'it refers to no state machine of this service');
  }
  return found;
}
