import { functionIds, machineIds } from '../../../lib/config/logical-ids.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';

/** An object of a template. */
export type Tree = Readonly<Record<string, unknown>>;

/** One resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Tree;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** Resources by logical id. */
export type Resources = Readonly<Record<string, Resource>>;

/** Statements of a policy, as IAM writes them. */
export type Statements = readonly Tree[];

/** An entry of functions.yml. */
export type DeclaredFunction = Tree & {
  /** Kubernetes group of a function that reaches the cluster, without the prefix `epsilon:`. */
  readonly cluster?: string;
  /** Whether a function that does not reach the cluster reaches its network. */
  readonly network?: boolean;
  /** Invocations of itself that a function fans out to at most. */
  readonly shards?: number;
};

/** An entry of state-machines.yml. */
export type DeclaredMachine = Tree & {
  /** Logical id. */
  readonly id: string;
  /** Name on AWS. */
  readonly name: string;
};

/** What a function that reaches the cluster gets, where there is one (infra/serverless/kubernetes/on.yml). */
export interface ClusterSettings {
  readonly vpc: Tree;
  /** Policy name to statements; `network` is that of every function in it. */
  readonly policies: Readonly<Record<string, Statements>>;
}

/** What people wrote, as far as something is derived from it. */
export interface Declared {
  /** Beginning of every name on AWS, `epsilon-<environment>`. */
  readonly prefix: string;
  readonly environment: string;
  /** Share of runs that must succeed, 0 to 1. */
  readonly successTarget: number;
  readonly functions: Readonly<Record<string, DeclaredFunction>>;
  readonly machines: Readonly<Record<string, DeclaredMachine>>;
  /** Function or machine to what its role may do beyond what every role of its kind may (roles/<area>.yml). */
  readonly statements: Readonly<Record<string, Statements>>;
  readonly cluster?: ClusterSettings;
  /** What functions that work with jobs of the cluster may do besides, where an Airflow starts these (infra/serverless/airflow). */
  readonly airflow?: Readonly<Record<string, Statements>>;
  /** What the function that sends traces may do besides (infra/serverless/tracing). */
  readonly tracing?: Readonly<Record<string, Statements>>;
  /** The region that is backed up, where this is the other one: no role reaches it. */
  readonly home?: string;
  /** Whether only what restores stands here: nothing trains. */
  readonly idle?: boolean;
  /** Resources that are written by hand; rules and schedules are among them. */
  readonly resources: Resources;
}

/** What a rule or schedule starts: a function or machine by its key. */
export interface Trigger {
  readonly by: 'rule' | 'schedule';
  /** Logical id of the rule or schedule. */
  readonly id: string;
  readonly kind: 'function' | 'machine';
  readonly key: string;
}

/** Error `SERVICE_INVALID`: what was declared cannot be completed. */
export function invalid(message: string): EpsilonError {
  return new EpsilonError('SERVICE_INVALID', message);
}

/** `Ref` to a logical id. */
export const ref = (id: string) => ({ Ref: id });

/** ARN of a resource (`Fn::GetAtt`). */
export const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function idIn(value: unknown): string | undefined {
  if (!isTree(value)) return undefined;
  const { Ref: name, 'Fn::GetAtt': attribute } = value;
  const id: unknown = name ?? (Array.isArray(attribute) ? attribute[0] : undefined);
  return typeof id === 'string' ? id : undefined;
}

type Started = Pick<Trigger, 'kind' | 'key'>;

/** The function or machine that a target starts; undefined for a topic or another resource. */
function started(declared: Declared, place: string, target: Tree): Started | undefined {
  const id = idIn(target['Arn']);
  if (id === undefined)
    throw invalid(
      `${place}: its target is neither !GetAtt <Function>LambdaFunction.Arn nor !Ref <machine>LiveAlias.`,
    );
  const fn = Object.keys(declared.functions).find((key) => functionIds(key).lambda === id);
  if (fn !== undefined) return { kind: 'function', key: fn };
  for (const [key, machine] of Object.entries(declared.machines)) {
    const { liveAlias } = machineIds(machine.id);
    if (id === liveAlias) return { kind: 'machine', key };
    if (id === machine.id)
      throw invalid(`${place}: it starts ${key} past its alias; its target is !Ref ${liveAlias}.`);
  }
  return undefined;
}

/** Targets of a rule or schedule; a rule starts machines through a role, which the target has to name. */
function triggersIn(
  declared: Declared,
  by: Trigger['by'],
  id: string,
  targets: readonly unknown[],
): Trigger[] {
  return targets.filter(isTree).flatMap((target) => {
    const found = started(declared, id, target);
    if (!found) return [];
    if (by === 'rule' && found.kind === 'machine' && idIn(target['RoleArn']) !== 'RulesRole')
      throw invalid(
        `${id}: a rule starts a machine through a role; add RoleArn: !GetAtt RulesRole.Arn to its target.`,
      );
    return [{ by, id, ...found }];
  });
}

/**
 * Everything that rules and schedules start; what they send elsewhere (a topic) is left out. Error `SERVICE_INVALID` for a
 * target that could never be delivered.
 */
export function triggersOf(declared: Declared): Trigger[] {
  return Object.entries(declared.resources).flatMap(([id, { Type: type, Properties: properties }]) => {
    if (type === 'AWS::Scheduler::Schedule')
      return triggersIn(declared, 'schedule', id, [properties['Target']]);
    const { Targets: targets } = properties;
    return type === 'AWS::Events::Rule' && Array.isArray(targets)
      ? triggersIn(declared, 'rule', id, targets as readonly unknown[])
      : [];
  });
}

/** Functions that rules and schedules start, in the order of functions.yml: nobody waits for their answer. */
export function eventFunctions(declared: Declared): string[] {
  const keys = new Set(triggersOf(declared).flatMap(({ kind, key }) => (kind === 'function' ? [key] : [])));
  return Object.keys(declared.functions).filter((key) => keys.has(key));
}
