import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { Resolve } from '../asl/definition/resolve-intrinsics.ts';
import { aliasesOf } from './aliases.ts';
import type { Service, ServiceFunction } from './declarations.ts';
import { Faults } from './faults.ts';
import { isTree, logicalIdIn, machineIdOf, type NamedMachine, namesOf, resolverOf } from './names.ts';
import { readYaml } from './read-yaml.ts';
import { type Resource, ruleOf, scheduleOf, type TriggerContext } from './triggers.ts';
import { type VariableSources, Variables } from './variables.ts';

export type { Service } from './declarations.ts';

type Tree = { readonly [key: string]: unknown };

/** serverless.yml with its variables resolved, and where its faults go. */
interface Reading {
  readonly root: Tree;
  readonly variables: Variables;
  readonly sources: VariableSources;
  readonly faults: Faults;
}

const tree = (value: unknown): Tree => (isTree(value) ? value : {});

/** Serverless's own defaults and Lambda's limits. */
const timeouts = { low: 1, high: 900, fallback: 6 };
const memories = { low: 128, high: 10_240, fallback: 1024 };

function numberOf(
  values: readonly unknown[],
  { low, high, fallback }: typeof timeouts,
  wrong: (message: string) => void,
): number {
  const given = values.find((value) => value !== undefined) ?? fallback;
  if (typeof given === 'number' && Number.isInteger(given) && given >= low && given <= high) return given;
  wrong(`a whole number from ${low} to ${high}, not ${JSON.stringify(given)}`);
  return fallback;
}

function functionOf(
  key: string,
  value: unknown,
  provider: Tree,
  reading: Reading,
): ServiceFunction | undefined {
  const { variables, sources, faults } = reading;
  const declared = tree(value);
  const place = `${variables.fileOf(value)}, functions.${key}`;
  const handler = typeof declared['handler'] === 'string' ? declared['handler'] : '';
  const [, path = '', exportName = ''] = /^(.+)\.([A-Za-z_$][\w$]*)$/.exec(handler) ?? [];
  if (path === '') {
    faults.add(
      place,
      `its handler ${JSON.stringify(handler)} is not a file and an export, as functions/area/name.handler`,
    );
    return undefined;
  }
  const file = join(sources.folder, `${path}.ts`);
  if (!existsSync(file)) faults.add(place, `its handler is "${handler}", but there is no ${path}.ts`);
  return {
    key,
    file,
    exportName,
    timeoutSeconds: numberOf([declared['timeout'], provider['timeout']], timeouts, (message) =>
      faults.add(place, `timeout must be ${message}`),
    ),
    memoryMiB: numberOf([declared['memorySize'], provider['memorySize']], memories, (message) =>
      faults.add(place, `memorySize must be ${message}`),
    ),
    environment: {},
  };
}

function functionsOf(reading: Reading): { functions: ServiceFunction[]; environments: Map<string, Tree> } {
  const { root, variables } = reading;
  const provider = tree(variables.resolve(root['provider'] ?? {}, 'provider'));
  const declared = tree(variables.resolve(root['functions'] ?? {}, 'functions'));
  const environments = new Map<string, Tree>();
  const functions = Object.entries(declared).flatMap(([key, value]) => {
    environments.set(key, { ...tree(provider['environment']), ...tree(tree(value)['environment']) });
    return functionOf(key, value, provider, reading) ?? [];
  });
  return { functions, environments };
}

/** Environment values as Lambda would hold them; what only an account knows stays a name. */
function environmentOf(values: Tree, resolve: Resolve): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      isTree(value)
        ? (resolve(value as never) ?? `local:${logicalIdIn(value) ?? Object.keys(value)[0]}`)
        : String(value),
    ]),
  );
}

function machinesOf({ root, variables, faults }: Reading): NamedMachine[] {
  const where = 'stepFunctions.stateMachines';
  const declared = tree(variables.resolve(tree(root['stepFunctions'])['stateMachines'] ?? {}, where));
  return Object.entries(declared).flatMap(([key, value]) => {
    const { definition, id, name } = tree(value);
    const place = `${variables.fileOf(value)}, ${where}.${key}`;
    if (!isTree(definition)) {
      faults.add(place, 'it has no definition');
      return [];
    }
    const file = variables.fileOf(definition);
    return [
      {
        key,
        name: typeof name === 'string' ? name : key,
        definition,
        ...(typeof id === 'string' ? { id } : {}),
        ...(file === variables.fileOf(value) ? {} : { definitionFile: file }),
      },
    ];
  });
}

/** The fragments of `resources` as one; a logical id that two of them declare is a fault. */
function resourcesOf({ root, variables, faults }: Reading): { resources: Resource[]; parameters: string[] } {
  const resolved = variables.resolve(root['resources'] ?? [], 'resources');
  const fragments = Array.isArray(resolved) ? (resolved as unknown[]) : [resolved];
  const found = new Map<string, Resource>();
  const parameters: string[] = [];
  for (const fragment of fragments) {
    parameters.push(...Object.keys(tree(tree(fragment)['Parameters'])));
    for (const [id, value] of Object.entries(tree(tree(fragment)['Resources']))) {
      const place = `${variables.fileOf(value)}, Resources.${id}`;
      if (found.has(id)) faults.add(place, `${found.get(id)?.place} declares the same logical id`);
      const resource = tree(value);
      found.set(id, { id, type: String(resource['Type']), properties: tree(resource['Properties']), place });
    }
  }
  return { resources: [...found.values()], parameters };
}

/** Every intrinsic of a definition that names nothing. */
function checkDefinition(value: unknown, path: string, place: string, context: TriggerContext): void {
  if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) checkDefinition(each, `${path}[${index}]`, place, context);
    return;
  }
  if (!isTree(value)) return;
  const id = Object.keys(value).length === 1 ? logicalIdIn(value) : undefined;
  if (id === undefined) {
    for (const [key, each] of Object.entries(value)) checkDefinition(each, `${path}.${key}`, place, context);
  } else if (context.resolve(value as never) === undefined && !context.declared.has(id)) {
    context.faults.add(place, `at ${path}, there is no function, state machine or resource "${id}"`);
  }
}

function checkNames(schedules: readonly { readonly name: string }[], faults: Faults): void {
  const seen = new Set<string>();
  for (const { name } of schedules) {
    if (seen.has(name)) faults.add('resources', `two schedules are called "${name}"`);
    seen.add(name);
  }
}

/**
 * Reads serverless.yml and everything it includes. Throws `SERVICE_INVALID`, `SCHEDULE_INVALID`, `TIMEZONE_UNKNOWN` or
 * `EVENT_PATTERN_UNSUPPORTED` naming file and key; several faults of the declarations are reported together.
 */
export function loadService(sources: VariableSources): Service {
  const root = readYaml(join(sources.folder, 'serverless.yml'));
  if (!isTree(root)) throw new EpsilonError('SERVICE_INVALID', 'serverless.yml: it is not a table.');
  const reading: Reading = { root, variables: new Variables(root, sources), sources, faults: new Faults() };
  const { functions, environments } = functionsOf(reading);
  const machines = machinesOf(reading);
  const { resources, parameters } = resourcesOf(reading);
  const { faults } = reading;
  const names = namesOf(
    functions.map(({ key }) => key),
    machines,
    {
      prefix: `${String(root['service'] ?? '')}-${sources.environment}-`,
      aliases: aliasesOf(resources, new Set(machines.map(machineIdOf)), faults),
    },
  );
  const resolve = resolverOf(names);
  const declared = new Set([...resources.map(({ id }) => id), ...parameters]);
  const context = { names, faults, resolve, declared };
  for (const { key, definition, definitionFile } of machines)
    checkDefinition(definition, '$', `${definitionFile ?? 'serverless.yml'}, state machine ${key}`, context);
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const schedules = ofType('AWS::Scheduler::Schedule').flatMap((each) => scheduleOf(each, context) ?? []);
  const rules = ofType('AWS::Events::Rule').flatMap((each) => ruleOf(each, context) ?? []);
  checkNames(schedules, faults);
  faults.throwIfAny();
  return {
    functions: new Map(
      functions.map((each) => [
        each.key,
        { ...each, environment: environmentOf(environments.get(each.key) ?? {}, resolve) },
      ]),
    ),
    machines: machines.map(({ id: _, ...machine }) => machine),
    schedules,
    rules,
    resolve,
  };
}
