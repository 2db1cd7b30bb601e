/** Logical ids of what belongs to one function. */
export interface FunctionIds {
  readonly lambda: string;
  readonly role: string;
  readonly logGroup: string;
  readonly clusterAccess: string;
}

/** Logical ids of what belongs to one state machine. */
export interface MachineIds {
  readonly role: string;
  readonly logGroup: string;
  readonly version: string;
  readonly liveAlias: string;
}

/** Serverless's normalised form of a key: a capital first, dashes and underscores spelt out. */
export function normalisedKey(key: string): string {
  const spelt = key.replace(/-/g, 'Dash').replace(/_/g, 'Underscore');
  return `${spelt.charAt(0).toUpperCase()}${spelt.slice(1)}`;
}

/**
 * Logical ids of a function, from its key in functions.yml: `lambda` and `logGroup` are Serverless's own, the others are
 * those of infra/serverless/plugin.
 */
export function functionIds(key: string): FunctionIds {
  const name = normalisedKey(key);
  return {
    lambda: `${name}LambdaFunction`,
    role: `${name}Role`,
    logGroup: `${name}LogGroup`,
    clusterAccess: `${name}Access`,
  };
}

/**
 * Logical ids that infra/serverless/plugin derives from a state machine's own (`NightlyTraining`). The embedded runtime
 * resolves version and alias to the machine itself.
 */
export function machineIds(id: string): MachineIds {
  return {
    role: `${id}Role`,
    logGroup: `${id}LogGroup`,
    version: `${id}Version`,
    liveAlias: `${id}LiveAlias`,
  };
}
