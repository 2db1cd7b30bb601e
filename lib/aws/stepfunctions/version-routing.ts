import {
  DescribeStateMachineAliasCommand,
  type SFNClient,
  UpdateStateMachineAliasCommand,
} from '@aws-sdk/client-sfn';
import type { RoutedVersion, VersionRouting } from '../../ports/release/version-routing.ts';
import { errorName, explained } from '../errors/service-errors.ts';
import { machineNames, type WorkflowLocation } from './machine-names.ts';

/** The number behind a version's ARN. */
const numberOf = (versionArn: string) => Number(versionArn.split(':').at(-1));

/** Versions behind the aliases `live` in Step Functions. A deploy that splits an alias has two. */
export function createVersionRouting({
  client,
  location,
}: {
  readonly client: SFNClient;
  readonly location: WorkflowLocation;
}): VersionRouting {
  const names = machineNames(location);
  return {
    current: async (machine) => {
      const stateMachineAliasArn = names.aliasArn(machine);
      const look = async (): Promise<RoutedVersion[]> => {
        try {
          const { routingConfiguration = [] } = await client.send(
            new DescribeStateMachineAliasCommand({ stateMachineAliasArn }),
          );
          return routingConfiguration.map(({ stateMachineVersionArn = '', weight = 0 }) => ({
            versionArn: stateMachineVersionArn,
            weight,
          }));
        } catch (error) {
          if (errorName(error) === 'ResourceNotFound') return [];
          throw error;
        }
      };
      const found = await explained('states:DescribeStateMachineAlias', stateMachineAliasArn, look);
      return found.toSorted((one, other) => numberOf(one.versionArn) - numberOf(other.versionArn));
    },
    route: async (machine, versionArn) => {
      const stateMachineAliasArn = names.aliasArn(machine);
      const routingConfiguration = [{ stateMachineVersionArn: versionArn, weight: 100 }];
      const call = new UpdateStateMachineAliasCommand({ stateMachineAliasArn, routingConfiguration });
      await explained('states:UpdateStateMachineAlias', stateMachineAliasArn, () => client.send(call));
    },
  };
}
