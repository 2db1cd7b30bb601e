import { stateMachineArn } from '../../config/deployment.ts';
import { checkExecutionName } from '../../config/execution-name.ts';

/** Where the machines of an environment are. */
export interface WorkflowLocation {
  readonly partition: string;
  readonly accountId: string;
  readonly region: string;
  readonly environment: string;
}

/** Alias that schedules, nights and operators start; a deploy moves it, an alarm moves it back. */
export const liveAlias = 'live';

/** The service's names of Epsilon's machines and executions, and back. */
export interface MachineNames {
  machineArn(machine: string): string;
  aliasArn(machine: string): string;
  /** ARN of `machine/name`; an ARN stays as it is. */
  executionArn(given: string): string;
  /** Key of a machine (`nightly-training`) from its ARN, whatever its qualifier, or from its name. */
  machineOf(arn: string): string;
  keyOf(name: string): string;
  isOurs(name: string): boolean;
  /** Throws `RUN_NAME_INVALID`. */
  checkName(name: string): void;
}

/** Names in one environment of one account and region. */
export function machineNames(location: WorkflowLocation): MachineNames {
  const prefix = `epsilon-${location.environment}-`;
  const machineArn = (machine: string) => stateMachineArn(location, location, machine);
  const keyOf = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  return {
    machineArn,
    aliasArn: (machine) => `${machineArn(machine)}:${liveAlias}`,
    executionArn: (given) => {
      if (given.startsWith('arn:')) return given;
      const [machine = '', name = ''] = given.split('/');
      return `${machineArn(machine).replace(':stateMachine:', ':execution:')}:${name}`;
    },
    // A map run's children name their machine as `machine/label`.
    machineOf: (arn) => keyOf(arn.split(':')[6]?.split('/')[0] ?? arn),
    keyOf,
    isOurs: (name) => name.startsWith(prefix),
    checkName: (name) => void checkExecutionName(name),
  };
}
