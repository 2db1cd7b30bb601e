import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { functionArn, machineArn } from '../asl/names.ts';
import type { Resolve } from '../asl/resolve.ts';
import { readYaml } from './read-yaml.ts';
import { type VariableSources, Variables } from './variables.ts';

/** A declared function. */
export interface ServiceFunction {
  readonly key: string;
  /** Path of the handler's TypeScript file. */
  readonly file: string;
  readonly exportName: string;
  readonly timeoutSeconds: number;
}

/** A declared state machine. */
export interface ServiceMachine {
  readonly key: string;
  readonly definition: unknown;
}

/** What a schedule or rule sends to. */
export type TargetRef =
  | { readonly kind: 'function'; readonly key: string }
  | { readonly kind: 'machine'; readonly key: string };

/** A declared `AWS::Scheduler::Schedule`. */
export interface ServiceSchedule {
  /** Name without the environment's prefix. */
  readonly name: string;
  readonly expression: string;
  readonly timezone: string;
  readonly enabled: boolean;
  readonly input: string;
  readonly target: TargetRef;
  readonly maximumEventAgeSeconds: number;
}

/** A declared `AWS::Events::Rule`. */
export interface ServiceRule {
  readonly name: string;
  readonly pattern: unknown;
  readonly enabled: boolean;
  readonly targets: readonly TargetRef[];
}

/** Everything serverless.yml declares that runs here. */
export interface Service {
  readonly functions: ReadonlyMap<string, ServiceFunction>;
  readonly machines: readonly ServiceMachine[];
  readonly schedules: readonly ServiceSchedule[];
  readonly rules: readonly ServiceRule[];
  /** Intrinsics to local ARNs. */
  readonly resolve: Resolve;
}

type Tree = { readonly [key: string]: unknown };

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function invalid(message: string): EpsilonError {
  return new EpsilonError('SERVICE_INVALID', message);
}

/** osls's logical id of a function: key with a capital, dashes and underscores spelt out. */
function lambdaLogicalId(key: string): string {
  const spelt = key.replace(/-/g, 'Dash').replace(/_/g, 'Underscore');
  return `${spelt.charAt(0).toUpperCase()}${spelt.slice(1)}LambdaFunction`;
}

function functionsOf(tree: unknown, folder: string): Map<string, ServiceFunction> {
  const entries = Object.entries(isTree(tree) ? tree : {}).map(([key, value]) => {
    const { handler = '', timeout } = (isTree(value) ? value : {}) as { handler?: string; timeout?: number };
    const [, path = '', exportName = ''] = /^(.*)\.([A-Za-z_$][\w$]*)$/.exec(handler) ?? [];
    const file = join(folder, `${path}.ts`);
    if (!existsSync(file))
      throw invalid(`Function "${key}" has the handler "${handler}", but there is no ${path}.ts.`);
    return [key, { key, file, exportName, timeoutSeconds: timeout ?? 30 }] as const;
  });
  return new Map(entries);
}

/** Logical ids of machines and functions to their keys. */
interface Names {
  readonly functions: ReadonlyMap<string, string>;
  readonly machines: ReadonlyMap<string, string>;
}

function logicalIdIn(value: unknown): string | undefined {
  if (!isTree(value)) return undefined;
  const { Ref: ref, 'Fn::GetAtt': attribute } = value;
  if (typeof ref === 'string') return ref;
  if (typeof attribute === 'string') return attribute.split('.')[0];
  return Array.isArray(attribute) && typeof attribute[0] === 'string' ? attribute[0] : undefined;
}

/** Machine aliases (`<Id>LiveAlias`, `<Id>Alias`) stand for their machine here. */
function machineKeyOf(id: string, { machines }: Names): string | undefined {
  return machines.get(id) ?? machines.get(id.replace(/(Live)?Alias$/, ''));
}

function targetOf(value: unknown, names: Names): TargetRef | undefined {
  const id = logicalIdIn(value);
  if (id === undefined) return undefined;
  const fn = names.functions.get(id);
  if (fn !== undefined) return { kind: 'function', key: fn };
  const machine = machineKeyOf(id, names);
  return machine === undefined ? undefined : { kind: 'machine', key: machine };
}

function resolverOf(names: Names): Resolve {
  return (intrinsic) => {
    const target = targetOf(intrinsic, names);
    if (!target) return undefined;
    return target.kind === 'function' ? functionArn(target.key) : machineArn(target.key);
  };
}

function resolveAll(value: unknown, resolve: Resolve): unknown {
  if (Array.isArray(value)) return value.map((each) => resolveAll(each, resolve));
  if (!isTree(value)) return value;
  const resolved = logicalIdIn(value) === undefined ? undefined : resolve(value as never);
  return (
    resolved ??
    Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolveAll(each, resolve)]))
  );
}

function resourcesOf(tree: unknown): [string, Tree][] {
  const fragments = Array.isArray(tree) ? (tree as unknown[]) : [tree];
  return fragments.flatMap((fragment) => {
    const resources = isTree(fragment) ? fragment['Resources'] : undefined;
    return isTree(resources)
      ? Object.entries(resources).filter((entry): entry is [string, Tree] => isTree(entry[1]))
      : [];
  });
}

function propertiesOf(resource: Tree): Tree {
  return isTree(resource['Properties']) ? resource['Properties'] : {};
}

function scheduleOf(id: string, resource: Tree, names: Names, stage: string): ServiceSchedule {
  const properties = propertiesOf(resource);
  const target = isTree(properties['Target']) ? properties['Target'] : {};
  const found = targetOf(target['Arn'], names);
  if (!found)
    throw invalid(
      `Schedule "${id}" has a target that is neither a function nor a state machine of this service.`,
    );
  const retry = isTree(target['RetryPolicy']) ? target['RetryPolicy'] : {};
  return {
    name: String(properties['Name'] ?? id).replace(`epsilon-${stage}-`, ''),
    expression: String(properties['ScheduleExpression'] ?? ''),
    timezone: String(properties['ScheduleExpressionTimezone'] ?? 'UTC'),
    enabled: properties['State'] !== 'DISABLED',
    input: String(target['Input'] ?? '{}'),
    target: found,
    maximumEventAgeSeconds: Number(retry['MaximumEventAgeInSeconds'] ?? 86_400),
  };
}

function ruleOf(id: string, resource: Tree, names: Names, resolve: Resolve): ServiceRule | undefined {
  const properties = propertiesOf(resource);
  const targets = Array.isArray(properties['Targets']) ? (properties['Targets'] as unknown[]) : [];
  const found = targets.flatMap(
    (target) => targetOf(isTree(target) ? target['Arn'] : undefined, names) ?? [],
  );
  // Targets that exist only on AWS (queues, topics, log groups) have nothing to do here.
  if (found.length === 0 || properties['EventPattern'] === undefined) return undefined;
  return {
    name: id,
    pattern: resolveAll(properties['EventPattern'], resolve),
    enabled: properties['State'] !== 'DISABLED',
    targets: found,
  };
}

/** Reads serverless.yml and everything it includes; throws `SERVICE_INVALID` naming file and place. */
export function loadService(sources: VariableSources): Service {
  const { folder, stage } = sources;
  const raw = readYaml(join(folder, 'serverless.yml'));
  if (!isTree(raw)) throw invalid('serverless.yml is not a table.');
  const variables = new Variables(raw, sources);
  const functions = functionsOf(variables.resolve(raw['functions'], 'functions'), folder);
  const steps = variables.resolve(
    isTree(raw['stepFunctions']) ? raw['stepFunctions']['stateMachines'] : {},
    'stepFunctions.stateMachines',
  );
  const machines = Object.entries(isTree(steps) ? steps : {}).map(([key, value]) => {
    const { definition, id } = (isTree(value) ? value : {}) as { definition?: unknown; id?: string };
    if (!isTree(definition)) throw invalid(`State machine "${key}" has no definition.`);
    return { key, definition, id: id ?? key };
  });
  const names: Names = {
    functions: new Map(
      [...functions.keys()].flatMap((key) => [[key, key] as const, [lambdaLogicalId(key), key] as const]),
    ),
    machines: new Map(machines.flatMap(({ key, id }) => [[id, key] as const, [key, key] as const])),
  };
  const resolve = resolverOf(names);
  const resources = resourcesOf(variables.resolve(raw['resources'] ?? [], 'resources'));
  const ofType = (type: string) => resources.filter(([, resource]) => resource['Type'] === type);
  return {
    functions,
    machines: machines.map(({ key, definition }) => ({ key, definition })),
    schedules: ofType('AWS::Scheduler::Schedule').map(([id, resource]) =>
      scheduleOf(id, resource, names, stage),
    ),
    rules: ofType('AWS::Events::Rule').flatMap(
      ([id, resource]) => ruleOf(id, resource, names, resolve) ?? [],
    ),
    resolve,
  };
}
