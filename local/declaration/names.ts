import { functionIds, normalisedKey } from '../../lib/config/logical-ids.ts';
import type { Resolve } from '../asl/definition/resolve-intrinsics.ts';
import { functionArn, functionNameOf, machineArn, machineNameOf } from '../asl/model/names.ts';
import type { ServiceMachine, TargetRef } from './declarations.ts';

type Tree = { readonly [key: string]: unknown };

/** True for a JSON object. */
export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every name by which functions and machines may be called, to their keys. */
export interface Names {
  /** Keys and logical ids. */
  readonly functions: ReadonlyMap<string, string>;
  /** Keys, names, and logical ids, also those of aliases and versions. */
  readonly machines: ReadonlyMap<string, string>;
  /** Beginning of every function's name on AWS, `<service>-<environment>-`. */
  readonly prefix: string;
}

/** A machine with the logical id its declaration gives it. */
export type NamedMachine = ServiceMachine & { readonly id?: string };

/** Logical id of a machine: its own, or the one that serverless-step-functions gives it. */
export function machineIdOf({ key, id, name }: NamedMachine): string {
  return id ?? (name === key ? `${normalisedKey(key)}StepFunctionsStateMachine` : normalisedKey(name));
}

/** Collects the names; `prefix` is `<service>-<environment>-`, `aliases` leads from an alias's or version's id to the machine's. */
export function namesOf(
  functionKeys: Iterable<string>,
  machines: readonly NamedMachine[],
  { prefix, aliases }: { readonly prefix: string; readonly aliases: ReadonlyMap<string, string> },
): Names {
  const functions = new Map<string, string>();
  for (const key of functionKeys) functions.set(key, key).set(functionIds(key).lambda, key);
  const byName = new Map<string, string>();
  for (const machine of machines)
    byName
      .set(machine.key, machine.key)
      .set(machine.name, machine.key)
      .set(machineIdOf(machine), machine.key);
  for (const [alias, machine] of aliases) byName.set(alias, byName.get(machine) ?? machine);
  return { functions, machines: byName, prefix };
}

/** What CloudFormation's own names stand for here. */
const pseudo: Readonly<Record<string, string>> = {
  'AWS::Region': 'local',
  'AWS::AccountId': '000000000000',
  'AWS::Partition': 'aws',
};

/** The logical id an intrinsic refers to: `Ref`, `Fn::GetAtt`, or `Fn::Sub` of one name alone. */
export function logicalIdIn(value: unknown): string | undefined {
  if (!isTree(value)) return undefined;
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Sub': text } = value;
  if (typeof ref === 'string') return ref;
  if (typeof attribute === 'string') return attribute.split('.')[0];
  if (typeof text === 'string') return /^\$\{([A-Za-z0-9]+)(?:\.Arn)?\}$/.exec(text)?.[1];
  return Array.isArray(attribute) && typeof attribute[0] === 'string' ? attribute[0] : undefined;
}

function byId(id: string, names: Names): TargetRef | undefined {
  const fn = names.functions.get(id);
  if (fn !== undefined) return { kind: 'function', key: fn };
  const machine = names.machines.get(id);
  return machine === undefined ? undefined : { kind: 'machine', key: machine };
}

/** The function or machine an ARN names, by key or by its name on AWS. */
function byArn(arn: string, names: Names): TargetRef | undefined {
  const fn = functionNameOf(arn);
  if (fn !== arn) {
    const key = fn.startsWith(names.prefix) ? fn.slice(names.prefix.length) : fn;
    return names.functions.has(key) ? byId(key, names) : undefined;
  }
  const machine = machineNameOf(arn);
  const key = machine === arn ? undefined : names.machines.get(machine);
  return key === undefined ? undefined : { kind: 'machine', key };
}

/** `Fn::Sub` as text; undefined when it names something that only an account knows. */
function substituted(value: unknown, names: Names): string | undefined {
  const given = isTree(value) ? value['Fn::Sub'] : undefined;
  const [template, own] = Array.isArray(given) ? (given as unknown[]) : [given];
  if (typeof template !== 'string') return undefined;
  let whole = true;
  const text = template.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal !== '') return `\${${name}}`;
    const local = isTree(own) && Object.hasOwn(own, name) ? own[name] : undefined;
    const target = byId(name.replace(/\.Arn$/, ''), names);
    const found =
      (typeof local === 'object' ? resolverOf(names)(local as never) : local) ??
      pseudo[name] ??
      (target && arnOf(target));
    if (found === undefined) whole = false;
    return String(found);
  });
  return whole ? text : undefined;
}

function arnOf({ kind, key }: TargetRef): string {
  return kind === 'function' ? functionArn(key) : machineArn(key);
}

/** The function or machine an intrinsic or ARN refers to; undefined when it is neither. */
export function resolveTarget(value: unknown, names: Names): TargetRef | undefined {
  if (typeof value === 'string') return byArn(value, names);
  const id = logicalIdIn(value);
  if (id !== undefined) return byId(id, names);
  const text = substituted(value, names);
  return text === undefined ? undefined : byArn(text, names);
}

/** Turns intrinsics into local ARNs or text; what only an account knows stays unresolved. */
export function resolverOf(names: Names): Resolve {
  return (intrinsic) => {
    const target = resolveTarget(intrinsic, names);
    if (target) return arnOf(target);
    const id = logicalIdIn(intrinsic);
    return id === undefined ? substituted(intrinsic, names) : pseudo[id];
  };
}
