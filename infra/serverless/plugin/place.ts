import {
  arnOf,
  type DeclaredFunction,
  type DeclaredMachine,
  type Resource,
  type Resources,
  ref,
  type Statements,
  type Tree,
} from './declared.ts';

/** Where the service is deployed (infra/serverless/places/<place>.yml). */
export interface Place {
  /** Region that no role of the place reaches; absent at home. */
  readonly home?: string;
  /** What stands in the other region while it is idle. */
  readonly stands?: {
    readonly functions: readonly string[];
    readonly machines: readonly string[];
    readonly resources: readonly string[];
  };
  /** Variables that functions which stand there do not have. */
  readonly without?: readonly string[];
  readonly environment?: Tree;
  /** Name of a restored table that the stack keeps; none where it is empty. */
  readonly restoredTable?: string;
  /** What the rest of the service works on there; absent where only what stands there is deployed. */
  readonly serving?: {
    /** Bucket of the environment; its replica is what is worked on. */
    readonly bucket: string;
    /** Names of restored tables. */
    readonly tables: string;
    readonly environment: Tree;
  };
}

/** A service as it was read, before anything is derived. */
export interface ReadService {
  readonly functions: Readonly<Record<string, DeclaredFunction>>;
  readonly machines: Readonly<Record<string, DeclaredMachine>>;
  readonly statements: Readonly<Record<string, Statements>>;
  readonly resources: Resources;
  /** Variables of every function. */
  readonly environment: Tree;
}

const picked = <T>(all: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([key]) => keys.includes(key)));

/** The same statements, on restored tables and on the replica's bucket. */
function movedStatements(
  statements: Statements,
  { bucket, tables }: NonNullable<Place['serving']>,
): Statements {
  const table = `arn:\${AWS::Partition}:dynamodb:\${AWS::Region}:\${AWS::AccountId}:table/${tables}`;
  const text = JSON.stringify(statements)
    .replaceAll(JSON.stringify(arnOf('ControlTable')), JSON.stringify({ 'Fn::Sub': table }))
    .replaceAll('${ControlTable.Arn}', table)
    .replaceAll(new RegExp(`(s3:::${bucket})(?=[/"])`, 'g'), '$1-replica');
  return JSON.parse(text) as Statements;
}

/** What a function that serves there may do besides: read where records go on, and say that it works on them. */
function reportRights({ bucket, tables }: NonNullable<Place['serving']>): Statements {
  const partition = (name: string) => ({
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`RECOVERY#${name}`] },
  });
  const sub = (text: string) => ({ 'Fn::Sub': text });
  return [
    {
      Effect: 'Allow',
      Action: 'dynamodb:GetItem',
      Resource: arnOf('ControlTable'),
      Condition: partition('place'),
    },
    {
      Effect: 'Allow',
      Action: 'dynamodb:PutItem',
      Resource: sub(`arn:\${AWS::Partition}:dynamodb:\${AWS::Region}:\${AWS::AccountId}:table/${tables}`),
      Condition: partition('consumer'),
    },
    {
      Effect: 'Allow',
      Action: 's3:PutObject',
      Resource: sub(`arn:\${AWS::Partition}:s3:::${bucket}-replica/recovery/consumers/*`),
    },
    { Effect: 'Allow', Action: 'kms:GenerateDataKey', Resource: ref('DataKeyArn') },
  ];
}

/** Nothing of the lost region is asked for, whatever else a role allows: a restore that needed it would fail when it matters. */
export function deniedHome(home: string | undefined): Statements {
  if (home === undefined) return [];
  return [
    {
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestedRegion': home } },
    },
  ];
}

const switchedOff = (resource: Resource): Resource =>
  resource.Type === 'AWS::Scheduler::Schedule'
    ? { ...resource, Properties: { ...resource.Properties, State: 'DISABLED' } }
    : resource;

function standing(read: ReadService, { stands, without = [], environment = {} }: Place): ReadService {
  const { functions = [], machines = [], resources = [] } = stands ?? {};
  const variables = Object.entries(read.environment).filter(([name]) => !without.includes(name));
  return {
    functions: picked(read.functions, functions),
    machines: picked(read.machines, machines),
    statements: picked(read.statements, [...functions, ...machines]),
    resources: picked(read.resources, resources),
    environment: { ...Object.fromEntries(variables), ...environment },
  };
}

/** A restored table beside the small one, declared alike: importing it and deploying afterwards changes nothing that would replace it. */
function withRestoredTable(read: ReadService, name = ''): ReadService {
  const like = read.resources['ControlTable'];
  if (name === '' || !like) return read;
  const table = { ...like, Properties: { ...like.Properties, TableName: name } };
  return { ...read, resources: { ...read.resources, RestoredTable: table } };
}

/** The service as it is deployed at a place: everything at home; in the other region what stands there, and the rest on what was restored. */
export function servicePlaced(read: ReadService, place: Place): ReadService {
  return withRestoredTable(movedTo(read, place), place.restoredTable);
}

function movedTo(read: ReadService, place: Place): ReadService {
  const { stands, serving } = place;
  if (!stands) return read;
  if (!serving) return standing(read, place);
  const restores = new Set([...stands.functions, ...stands.machines]);
  return {
    functions: Object.fromEntries(
      Object.entries(read.functions).map(([key, declared]) => [
        key,
        { ...declared, environment: restores.has(key) ? place.environment : serving.environment },
      ]),
    ),
    machines: read.machines,
    statements: Object.fromEntries(
      Object.entries(read.statements).map(([key, own]) => [
        key,
        restores.has(key)
          ? own
          : [...movedStatements(own, serving), ...(read.functions[key] ? reportRights(serving) : [])],
      ]),
    ),
    resources: Object.fromEntries(
      Object.entries(read.resources).map(([id, resource]) => [
        id,
        stands.resources.includes(id) ? resource : switchedOff(resource),
      ]),
    ),
    environment: read.environment,
  };
}

/** Parameters that a template reads for nothing: each would have to exist where it is deployed. */
export function unreadParameters(
  parameters: Readonly<Record<string, unknown>>,
  ...used: unknown[]
): string[] {
  const text = JSON.stringify(used);
  return Object.keys(parameters).filter(
    (name) => !text.includes(`"Ref":"${name}"`) && !text.includes(`\${${name}}`),
  );
}
