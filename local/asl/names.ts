import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

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

/** Characters that the service does not allow in a name. */
const forbidden = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]/u;

/** Returns the execution name unchanged when it is allowed; otherwise `RUN_NAME_INVALID` with the position. */
export function checkExecutionName(name: string): string {
  const bad = forbidden.exec(name);
  if (bad) {
    throw new EpsilonError(
      'RUN_NAME_INVALID',
      `Execution name ${JSON.stringify(name)}: ${JSON.stringify(bad[0])} at position ${bad.index + 1} is not allowed.`,
      {
        details: { position: bad.index + 1 },
      },
    );
  }
  if (name.length >= 1 && name.length <= 80) return name;
  throw new EpsilonError(
    'RUN_NAME_INVALID',
    `Execution name ${JSON.stringify(name)} has ${name.length} characters; 1 to 80 are allowed (position ${Math.min(name.length, 81)}).`,
    {
      details: { position: Math.min(name.length, 81) },
    },
  );
}
