import { functionIds } from '../../lib/config/logical-ids.ts';
import { account, arnOf, region } from '../fixtures/aws-base.ts';
import {
  at,
  idIn,
  isTree,
  type Json,
  list,
  ofType,
  type Resource,
  type Template,
  type Tree,
} from '../service/template.ts';
import { type AwsRequest, resources } from './requests.ts';

/** A policy as IAM has it: no reference left. */
export interface Policy {
  readonly name: string;
  readonly policy: { readonly Version: string; readonly Statement: readonly Tree[] };
}

/** Where a template is deployed, as far as its policies can tell. */
export interface Place {
  readonly environment: string;
  readonly template: Template;
}

/** What infrastructure wrote, by the template's parameters. */
function parametersOf(environment: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {
    DataKeyArn: resources.dataKey,
    LogsKeyArn: resources.logsKey,
    AlertsTopicArn: resources.topic,
    BatchSpotQueueArn: resources.queues.spot,
    BatchOnDemandQueueArn: resources.queues['on-demand'],
    JobRoleArn: resources.role('tenant-job'),
    DataPipelineUrl: resources.repository('data-pipeline'),
    MlEngineUrl: resources.repository('ml-engine'),
    DeployerUrl: resources.repository('deployer'),
    EksClusterName: resources.cluster,
    PrivateSubnetIds: 'subnet-1,subnet-2',
    FunctionsSecurityGroupId: 'sg-1',
    ApiEndpointId: 'vpce-1',
    DatabaseInstanceId: resources.database,
    ReplicaBucket: resources.replicaBucket,
    ReplicaKeyArn: resources.replicaKey,
    RestoreSubnetGroup: resources.landing,
    RestoreParameterGroup: resources.landing,
    RestoreSecurityGroupId: 'sg-2',
    RedisEndpoint: 'cache.example',
    RedisSecretArn: resources.cacheSecret,
  };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, inEnvironment(value, environment)]),
  );
}

/** Names of the environment that requests were noted in, as they are in another one. */
export function inEnvironment(text: string, environment: string): string {
  const suffix = environment === 'prod' ? '' : `-${environment}`;
  return text
    .replaceAll('epsilon-dev', `epsilon-${environment}`)
    .replaceAll('secret:epsilon/dev/', `secret:epsilon/${environment}/`)
    .replaceAll(resources.bucket, `embeddings-saas-data${suffix}`)
    .replaceAll(resources.database, `embeddings-saas-db${suffix}`)
    .replaceAll(resources.cluster, `embeddings-saas-cluster${suffix}`);
}

/** A request as it is in another environment. */
export function requestIn(request: AwsRequest, environment: string): AwsRequest {
  return JSON.parse(inEnvironment(JSON.stringify(request), environment)) as AwsRequest;
}

const pseudo: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': region,
  'AWS::AccountId': account,
  'AWS::URLSuffix': 'amazonaws.com',
};

type ArnOf = (properties: Tree, id: string) => string;

const arns: Readonly<Record<string, ArnOf>> = {
  'AWS::DynamoDB::GlobalTable': ({ TableName: name }) => arnOf('dynamodb', `table/${name}`),
  'AWS::Events::EventBus': ({ Name: name }) => arnOf('events', `event-bus/${name}`),
  // Its name is CloudFormation's; a rule of our bus has the bus in its ARN.
  'AWS::Events::Rule': ({ EventBusName: bus }, id) =>
    arnOf('events', `rule/${bus === undefined ? '' : `${bus}/`}${id}`),
  'AWS::IAM::Role': (_, id) => `arn:aws:iam::${account}:role/${id}`,
  'AWS::KMS::Key': () => resources.tokenKey,
  'AWS::Logs::LogGroup': ({ LogGroupName: name }) => arnOf('logs', `log-group:${name}:*`),
  'AWS::Lambda::Function': ({ FunctionName: name }) => arnOf('lambda', `function:${name}`),
  'AWS::SQS::Queue': ({ QueueName: name }, id) => arnOf('sqs', String(name ?? id)),
  'AWS::StepFunctions::StateMachine': ({ StateMachineName: name }) => arnOf('states', `stateMachine:${name}`),
};

type NameOf = (resolver: Resolver, properties: Tree, id: string) => string;

/** What `Ref` gives of a resource. */
const names: Readonly<Record<string, NameOf>> = {
  'AWS::StepFunctions::StateMachine': (resolver, _, id) => resolver.arn(id),
  'AWS::StepFunctions::StateMachineAlias': (resolver, properties, id) => {
    const version = idIn(at(properties, 'DeploymentPreference', 'StateMachineVersionArn')) ?? id;
    return `${resolver.resolve({ Ref: version })}:${properties['Name']}`;
  },
  'AWS::StepFunctions::StateMachineVersion': (resolver, properties) =>
    String(resolver.resolve(properties['StateMachineArn'] ?? null)),
  'AWS::Lambda::Version': (resolver, properties) =>
    `${resolver.arn(idIn(properties['FunctionName']) ?? '')}:1`,
  'AWS::Events::EventBus': (resolver, properties) => String(resolver.resolve(properties['Name'] ?? null)),
  'AWS::S3::Bucket': (_resolver, _properties, id) => id.toLowerCase(),
  'AWS::ApiGateway::RestApi': () => 'a1b2c3d4e5',
};

/** Puts values in the place of references; a reference that nobody here knows is an error. */
export class Resolver {
  readonly #template: Template;
  readonly #parameters: Readonly<Record<string, string>>;

  constructor({ environment, template }: Place) {
    this.#template = template;
    this.#parameters = parametersOf(environment);
  }

  #resource(id: string): Resource {
    const found = this.#template.Resources[id];
    if (!found) throw new Error(`The template has neither a parameter nor a resource ${id}.`);
    return found;
  }

  #attribute(id: string, attribute: string): string {
    const { Type, Properties } = this.#resource(id);
    const arn = attribute === 'Arn' ? arns[Type] : undefined;
    if (!arn) throw new Error(`${id}.${attribute}: test/rights does not know this attribute of ${Type}.`);
    const named = Object.entries(Properties).filter(([key]) => key.endsWith('Name'));
    return arn(this.resolve(Object.fromEntries(named)) as Tree, id);
  }

  /** ARN of a resource, by its logical id. */
  arn(id: string): string {
    return this.#attribute(id, 'Arn');
  }

  #ref(id: string): string {
    const known = pseudo[id] ?? this.#parameters[id];
    if (known !== undefined) return known;
    const { Type } = this.#resource(id);
    const name = names[Type];
    if (name) return name(this, this.#resource(id).Properties, id);
    throw new Error(`Ref ${id}: test/rights does not know the name of a ${Type}.`);
  }

  #sub(value: Json): string {
    const [text, given] = Array.isArray(value) ? (value as readonly Json[]) : [value, {}];
    return String(text).replace(/\$\{([^}]+)\}/g, (whole, name: string) => {
      // IAM's own variables are written `${!aws:...}`.
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      const own = at(given, name);
      if (own !== undefined) return String(this.resolve(own));
      const [id = '', attribute] = name.split('.');
      return attribute === undefined ? this.#ref(whole.slice(2, -1)) : this.#attribute(id, attribute);
    });
  }

  #call(name: string, value: Json): Json | undefined {
    const parts = () => list(this.resolve(value));
    switch (name) {
      case 'Ref':
        return this.#ref(String(value));
      case 'Fn::GetAtt': {
        const [id, attribute] = typeof value === 'string' ? value.split('.') : list(value);
        return this.#attribute(String(id), String(attribute));
      }
      case 'Fn::Sub':
        return this.#sub(value);
      case 'Fn::Join':
        return list(parts()[1]).join(String(parts()[0]));
      case 'Fn::Select':
        return list(parts()[1])[Number(parts()[0])];
      case 'Fn::Split':
        return String(parts()[1]).split(String(parts()[0]));
      default:
        if (name.startsWith('Fn::')) throw new Error(`test/rights does not know ${name}.`);
        return undefined;
    }
  }

  /** The value without references. */
  resolve(value: Json): Json {
    if (Array.isArray(value)) return (value as readonly Json[]).map((each) => this.resolve(each));
    if (!isTree(value)) return value;
    const [first, ...others] = Object.entries(value);
    const called = first && others.length === 0 ? this.#call(...first) : undefined;
    if (called !== undefined) return called;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.resolve(each)]));
  }
}

/** Policies of a role, by its logical id. */
export function policiesOf(place: Place, roleId: string): Policy[] {
  const resolver = new Resolver(place);
  const inline = list(place.template.Resources[roleId]?.Properties['Policies']);
  if (inline.length === 0) throw new Error(`${roleId} has no policies.`);
  return inline.map((policy) => ({
    name: String(at(policy, 'PolicyName')),
    policy: resolver.resolve(at(policy, 'PolicyDocument') ?? null) as unknown as Policy['policy'],
  }));
}

/** Policies of a function's role. */
export const policiesOfFunction = (place: Place, key: string): Policy[] =>
  policiesOf(place, functionIds(key).role);

/** The policy of the key that task tokens are sealed under. */
export function tokenKeyPolicy(place: Place): Json {
  const [key] = ofType(place.template, 'AWS::KMS::Key');
  return new Resolver(place).resolve(key?.[1].Properties['KeyPolicy'] ?? null);
}
