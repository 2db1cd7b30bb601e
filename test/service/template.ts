/** JSON of a template. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Tree = { readonly [key: string]: Json };

/** One resource. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Tree;
  readonly DependsOn?: Json;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** A compiled template. */
export interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Type: string; readonly Default: string }>>;
  readonly Resources: Readonly<Record<string, Resource>>;
}

/** A resource with its logical id. */
export type Named = readonly [id: string, resource: Resource];

/** One statement of a policy, lists made of single values. */
export interface Statement {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly Json[];
  readonly condition: Json | undefined;
}

export const isTree = (value: Json | undefined): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const list = (value: Json | undefined): readonly Json[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly Json[]) : [value];

/** Resources of a type. */
export function ofType(template: Template, type: string): Named[] {
  return Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
}

/** Logical id of a `Ref` or of the first part of a `Fn::GetAtt`. */
export function idIn(value: Json | undefined): string | undefined {
  if (!isTree(value)) return undefined;
  const { Ref: ref, 'Fn::GetAtt': attribute } = value;
  if (typeof ref === 'string') return ref;
  const [first] = typeof attribute === 'string' ? attribute.split('.') : list(attribute);
  return typeof first === 'string' ? first : undefined;
}

/** Value at a path of keys. */
export function at(value: Json | undefined, ...path: readonly (string | number)[]): Json | undefined {
  let here = value;
  for (const key of path) {
    if (Array.isArray(here)) here = (here as readonly Json[])[Number(key)];
    else here = isTree(here) ? here[String(key)] : undefined;
  }
  return here;
}

/** Statements of a policy document. */
export function statementsOf(document: Json | undefined): Statement[] {
  return list(at(document, 'Statement')).map((statement) => ({
    effect: String(at(statement, 'Effect')),
    actions: list(at(statement, 'Action')).map(String),
    resources: list(at(statement, 'Resource')),
    condition: at(statement, 'Condition'),
  }));
}

/** What a role may do: its own policies and those attached to it. */
export function roleStatements(template: Template, roleId: string): Statement[] {
  const own = list(template.Resources[roleId]?.Properties['Policies']).map((policy) =>
    at(policy, 'PolicyDocument'),
  );
  const attached = ofType(template, 'AWS::IAM::Policy')
    .filter(([, { Properties: properties }]) =>
      list(properties['Roles']).some((role) => idIn(role) === roleId),
    )
    .map(([, { Properties: properties }]) => properties['PolicyDocument']);
  return [...own, ...attached].flatMap(statementsOf);
}

/** A machine's definition with its references put back in place. */
export function definitionOf({ Properties: properties }: Resource): Json {
  const [text, references] = list(at(properties['DefinitionString'], 'Fn::Sub'));
  return JSON.parse(String(text), (_, value: Json) => {
    const name = typeof value === 'string' ? /^\$\{([0-9a-f]+)\}$/.exec(value)?.[1] : undefined;
    return name === undefined ? value : at(references, name);
  }) as Json;
}

/** Every value of a key, however deep. */
export function everyValue(value: Json, key: string): Json[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((each) => everyValue(each, key));
  if (!isTree(value)) return [];
  return Object.entries(value).flatMap(([name, each]) => [
    ...(name === key ? [each] : []),
    ...everyValue(each, key),
  ]);
}

/** Text of a value with what differs between environments taken out. */
export function neutral(value: Json, environment: string): string {
  return JSON.stringify(value)
    .replaceAll(`epsilon-${environment}`, 'epsilon-<environment>')
    .replaceAll(/:secret:epsilon\/(dev|staging|prod)\//g, ':secret:epsilon/<environment>/')
    .replaceAll(/embeddings-saas-data(-dev|-staging)?/g, '<bucket>');
}
