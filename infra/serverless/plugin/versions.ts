import { machineIds } from '../../../lib/config/logical-ids.ts';
import { type Declared, type Resource, type Resources, ref } from './declared.ts';

function version(id: string): Resource {
  return {
    Type: 'AWS::StepFunctions::StateMachineVersion',
    // Runs in flight and redrives need the versions before.
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      StateMachineArn: ref(id),
      StateMachineRevisionId: { 'Fn::GetAtt': [id, 'StateMachineRevisionId'] },
    },
  };
}

function liveAlias(id: string, alarms: readonly string[]): Resource {
  return {
    Type: 'AWS::StepFunctions::StateMachineAlias',
    Properties: {
      Name: 'live',
      DeploymentPreference: {
        StateMachineVersionArn: ref(machineIds(id).version),
        Type: 'CANARY',
        Percentage: 10,
        Interval: 5,
        Alarms: alarms.map(ref),
      },
    },
  };
}

/**
 * What is started: never a machine, always its alias `live`. A deploy publishes a version, gives it a tenth of the new
 * executions for five minutes and then all of them; one of the alarms (logical ids) in between moves the alias back and
 * fails the deploy.
 */
export function versions({ machines }: Declared, alarms: readonly string[]): Resources {
  return Object.fromEntries(
    Object.values(machines).flatMap(({ id }) => [
      [machineIds(id).version, version(id)],
      [machineIds(id).liveAlias, liveAlias(id, alarms)],
    ]),
  ) as Resources;
}
