export { checkExecutionName } from '../../../lib/config/execution-name.ts';

const account = 'local:000000000000';

/** ARN of a machine of this engine. */
export const machineArn = (machine: string) => `arn:aws:states:${account}:stateMachine:${machine}`;

/** ARN of an execution. */
export const executionArn = (machine: string, name: string) =>
  `arn:aws:states:${account}:execution:${machine}:${name}`;

/** ARN of a distributed Map's run. */
export const mapRunArn = (machine: string, label: string, id: string) =>
  `arn:aws:states:${account}:mapRun:${machine}/${label}:${id}`;

/** ARN of a function of the embedded runtime. */
export const functionArn = (name: string) => `arn:aws:lambda:${account}:function:${name}`;

/** ARN of the role that stands for "whoever runs this process". */
export const roleArn = 'arn:aws:iam::000000000000:role/embedded';

/** The function a Task names, by name or ARN. */
export function functionNameOf(nameOrArn: string): string {
  return /^arn:[^:]*:lambda:[^:]*:[^:]*:function:([^:]+)/.exec(nameOrArn)?.[1] ?? nameOrArn;
}

/** The machine an ARN (with or without version or alias) or a plain name names. */
export function machineNameOf(nameOrArn: string): string {
  return /^arn:[^:]*:states:[^:]*:[^:]*:stateMachine:([^:]+)/.exec(nameOrArn)?.[1] ?? nameOrArn;
}
