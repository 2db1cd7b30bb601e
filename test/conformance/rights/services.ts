import { account, arnOf, region } from '../../fixtures/aws-base.ts';
import { type AwsRequest, ask, resources, throughService } from '../../rights/requests.ts';
import { inEnvironment, type Place, policiesOf, Resolver } from '../../rights/role-policies.ts';
import { at, idIn, isTree, type Json, list, ofType, type Tree } from '../../service/template.ts';
import type { Evaluator, Question } from './evaluator.ts';
import type { Verdict } from './functions.ts';
import { probes } from './probes.ts';

type Who = Omit<Question, 'request'>;

const another = '999999999999';
const stranger = `arn:aws:sts::${account}:assumed-role/somebody/else`;

/** Judges what AWS's own services do for us: run machines, schedules and rules, call functions, keep what could not be delivered. */
export class ServiceRoles {
  readonly #evaluator: Evaluator;
  readonly #place: Place;
  readonly #resolver: Resolver;
  readonly verdict: Verdict = { allowed: 0, refused: 0, faults: [] };

  constructor(evaluator: Evaluator, place: Place) {
    this.#evaluator = evaluator;
    this.#place = place;
    this.#resolver = new Resolver(place);
  }

  async #expect(who: Who, request: AwsRequest, allowed: boolean, why: string): Promise<void> {
    const found = await this.#evaluator.allows({ ...who, request });
    if (found === allowed) this.verdict[allowed ? 'allowed' : 'refused'] += 1;
    else
      this.verdict.faults.push(
        `${this.#place.environment}: ${who.principal} ${allowed ? 'may not' : 'may'} ${request.action} on ${request.resource} ${JSON.stringify(request.context)}: ${why}`,
      );
  }

  #all(type: string) {
    return ofType(this.#place.template, type);
  }

  #resolve(value: Json | undefined): Json {
    return this.#resolver.resolve(value ?? null);
  }

  #named(text: string): string {
    return inEnvironment(text, this.#place.environment);
  }

  #role(roleId: string): Who {
    const principal = `arn:aws:sts::${account}:assumed-role/epsilon-${this.#place.environment}-${roleId}/service`;
    return { principal, policies: policiesOf(this.#place, roleId) };
  }

  /** A role is taken by one service, for this account. */
  async #trust(roleId: string, service: string, ofThisAccount: boolean): Promise<void> {
    const role = this.#place.template.Resources[roleId];
    const resourcePolicy = this.#resolve(role?.Properties['AssumeRolePolicyDocument']);
    const taking = (context: AwsRequest['context']) =>
      ask('sts:AssumeRole', `arn:aws:iam::${account}:role/${roleId}`, context);
    const by = (principal: string): Who => ({ principal, policies: [], resourcePolicy });
    const own = { 'aws:SourceAccount': account };
    await this.#expect(by(service), taking(own), true, 'the service takes the role');
    await this.#expect(by('ec2.amazonaws.com'), taking(own), false, 'another service');
    await this.#expect(by(stranger), taking({}), false, 'another role of the account');
    if (ofThisAccount)
      await this.#expect(by(service), taking({ 'aws:SourceAccount': another }), false, 'another account');
  }

  /** What a definition names is allowed, and what it does not name is refused. */
  async machines(): Promise<void> {
    for (const [id, { Properties: properties }] of this.#all('AWS::StepFunctions::StateMachine')) {
      const roleId = idIn(properties['RoleArn']) ?? '';
      const definition = JSON.stringify(this.#resolve(properties['DefinitionString']));
      const who = this.#role(roleId);
      await this.#trust(roleId, 'states.amazonaws.com', true);
      await this.#invocations(who, definition);
      await this.#executions(who, definition, id);
      await this.#objects(who, definition);
      for (const { of, why, request } of probes)
        if (of === 'everybody' && !/^(lambda|states):/.test(request.action))
          await this.#expect(who, JSON.parse(this.#named(JSON.stringify(request))) as AwsRequest, false, why);
      await this.#expect(who, ask('logs:CreateLogDelivery', '*'), true, 'its log is delivered');
    }
  }

  async #invocations(who: Who, definition: string): Promise<void> {
    for (const [id, { Properties: properties }] of this.#all('AWS::Lambda::Version')) {
      const version = String(this.#resolve({ Ref: id }));
      const named = definition.includes(version);
      await this.#expect(who, ask('lambda:InvokeFunction', version), named, `named: ${named}`);
      const whole = this.#resolver.arn(idIn(properties['FunctionName']) ?? '');
      await this.#expect(who, ask('lambda:InvokeFunction', whole), false, 'no exact version');
    }
  }

  /** `live` alone is started of another machine; children of a distributed Map are executions of the machine itself. */
  async #executions(who: Who, definition: string, own: string): Promise<void> {
    const waits = definition.includes('states:startExecution.sync:2');
    for (const [id] of this.#all('AWS::StepFunctions::StateMachine')) {
      const arn = this.#resolver.arn(id);
      const start = (qualifier: string) =>
        ask('states:StartExecution', arn, { 'states:StateMachineQualifier': [qualifier] });
      const maps = id === own && definition.includes('DISTRIBUTED');
      const starts = definition.includes(`${arn}:live`);
      // A release trains its canary tenant on the new version, by an ARN that is known only then.
      const canary = own === 'Release' && id === 'TenantModelTraining';
      await this.#expect(who, start('live'), starts || maps || canary, 'the live version');
      await this.#expect(who, start('beta'), maps || canary, 'another alias');
      const execution = `${arn.replace(':stateMachine:', ':execution:')}${maps ? '/map:' : ':'}x`;
      for (const action of ['DescribeExecution', 'StopExecution'])
        await this.#expect(
          who,
          ask(`states:${action}`, execution),
          maps || canary || (starts && waits),
          'an execution of it',
        );
    }
    const rule = (name: string) => arnOf('events', `rule/${name}`);
    for (const action of ['PutRule', 'PutTargets', 'DescribeRule']) {
      const ofChildren = rule('StepFunctionsGetEventsForStepFunctionsExecutionRule');
      await this.#expect(who, ask(`events:${action}`, ofChildren), waits, 'how it hears of a child’s end');
      await this.#expect(who, ask(`events:${action}`, rule('x')), false, 'another rule');
    }
  }

  async #objects(who: Who, definition: string): Promise<void> {
    const bucket = this.#named(`arn:aws:s3:::${resources.bucket}`);
    const reads = definition.includes('s3:getObject') || definition.includes('s3:listObjectsV2');
    const writes = definition.includes('s3:putObject');
    const cases: readonly (readonly [action: string, key: string, allowed: boolean])[] = [
      ['s3:GetObject', 'nights/2026-11-24/tenants.json', reads],
      ['s3:PutObject', 'nights/2026-11-24/results/x.json', writes],
      ['s3:GetObject', 'acme/raw/documents.jsonl', false],
      ['s3:GetObject', 'acme/model.bin', false],
      ['s3:PutObject', 'acme/model.bin', false],
      ['s3:DeleteObject', 'nights/2026-11-24/tenants.json', false],
    ];
    for (const [action, key, allowed] of cases)
      await this.#expect(who, ask(action, `${bucket}/${key}`), allowed, `reads: ${reads}, writes: ${writes}`);
    const resourcePolicy = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${account}:root` },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    };
    for (const [service, allowed] of [
      ['s3', reads],
      ['dynamodb', false],
    ] as const)
      await this.#expect(
        { ...who, resourcePolicy },
        throughService('Decrypt', resources.dataKey, service, {}),
        allowed,
        'the data key through a service',
      );
  }

  /** Schedules start what they name; what cannot be started goes into the queue. */
  async schedules(): Promise<void> {
    const named = new Set<string>();
    const roles = new Set<string>();
    for (const [, { Properties: properties }] of this.#all('AWS::Scheduler::Schedule')) {
      const target = String(this.#resolve(at(properties, 'Target', 'Arn')));
      const roleId = idIn(at(properties, 'Target', 'RoleArn')) ?? '';
      named.add(target);
      roles.add(roleId);
      await this.#expect(this.#role(roleId), starting(target), true, 'its own target');
      const queue = String(this.#resolve(at(properties, 'Target', 'DeadLetterConfig', 'Arn')));
      await this.#expect(this.#role(roleId), ask('sqs:SendMessage', queue), true, 'its dead letters');
    }
    const targets = [
      ...this.#all('AWS::StepFunctions::StateMachine').map(([id]) => `${this.#resolver.arn(id)}:live`),
      ...this.#all('AWS::Lambda::Function').map(([id]) => this.#resolver.arn(id)),
    ];
    for (const roleId of roles) {
      await this.#trust(roleId, 'scheduler.amazonaws.com', true);
      for (const target of targets)
        if (!named.has(target))
          await this.#expect(this.#role(roleId), starting(target), false, 'no schedule names it');
      const [machine = ''] = [...named].filter((target) => target.endsWith(':live'));
      const beta = starting(machine.replace(/:live$/, ':beta'));
      await this.#expect(this.#role(roleId), beta, false, 'another alias');
    }
  }

  /** Rules call their functions, and leave what they could not deliver: each by its own ARN. */
  async rules(): Promise<void> {
    const rules = this.#all('AWS::Events::Rule').map(([id]) => [id, this.#resolver.arn(id)] as const);
    for (const [id, { Properties: properties }] of this.#all('AWS::Events::Rule'))
      for (const target of list(properties['Targets'])) {
        const functionId = idIn(at(target, 'Arn')) ?? '';
        // What is not in the template has its policy elsewhere: the alerts topic.
        if (!this.#place.template.Resources[functionId]) continue;
        const queueId = idIn(at(target, 'DeadLetterConfig', 'Arn')) ?? '';
        const places = [
          ['lambda:InvokeFunction', functionId, this.#permissionsOf(functionId)],
          ['sqs:SendMessage', queueId, this.#queuePolicy(queueId)],
        ] as const;
        for (const [action, at_, resourcePolicy] of places) {
          const by = (principal: string): Who => ({ principal, policies: [], resourcePolicy });
          const from = (source: string) => ask(action, this.#resolver.arn(at_), { 'aws:SourceArn': source });
          const own = rules.find(([one]) => one === id)?.[1] ?? '';
          const foreign = own.replace(account, another);
          await this.#expect(by('events.amazonaws.com'), from(own), true, `${id} does its work`);
          await this.#expect(by('events.amazonaws.com'), from(foreign), false, 'a rule of another account');
          await this.#expect(by(stranger), from(own), false, 'somebody who says that he is the rule');
        }
      }
  }

  /** What others were permitted on a function, as the policy that Lambda makes of it. */
  #permissionsOf(functionId: string): Json {
    const mine = this.#all('AWS::Lambda::Permission').filter(
      ([, { Properties: properties }]) => idIn(properties['FunctionName']) === functionId,
    );
    const statements = mine.map(([id, { Properties: properties }]) => ({
      Sid: id,
      Effect: 'Allow',
      Principal: { Service: properties['Principal'] ?? '' },
      Action: 'lambda:InvokeFunction',
      Resource: this.#resolver.arn(functionId),
      Condition: { ArnLike: { 'AWS:SourceArn': this.#resolve(properties['SourceArn']) } },
    }));
    return { Version: '2012-10-17', Statement: statements };
  }

  #queuePolicy(queueId: string): Json {
    const found = this.#all('AWS::SQS::QueuePolicy').find(([, { Properties: properties }]) =>
      list(properties['Queues']).some((queue) => idIn(queue) === queueId),
    );
    return this.#resolve(found?.[1].Properties['PolicyDocument']);
  }

  /** Queues, keys and buckets of the template are reached over TLS alone, and by whom their policies name. */
  async places(): Promise<void> {
    const plain = { 'aws:SecureTransport': 'false' };
    for (const [id, { Properties: properties }] of this.#all('AWS::SQS::QueuePolicy')) {
      const [queue] = list(properties['Queues']);
      const on = this.#resolver.arn(idIn(queue) ?? '');
      const resourcePolicy = this.#resolve(properties['PolicyDocument']);
      const mighty = { ...allowing('sqs:*'), resourcePolicy };
      await this.#expect(mighty, ask('sqs:ReceiveMessage', on), true, `${id}: by the account’s own rights`);
      await this.#expect(mighty, ask('sqs:ReceiveMessage', on, plain), false, `${id}: without TLS`);
    }
    for (const [id, { Properties: properties }] of this.#all('AWS::S3::BucketPolicy')) {
      const on = `arn:aws:s3:::${String(this.#resolve(properties['Bucket']))}/x`;
      const mighty = {
        ...allowing('s3:*'),
        resourcePolicy: texts(this.#resolve(properties['PolicyDocument'])),
      };
      await this.#expect(mighty, ask('s3:GetObject', on), true, `${id}: by the account’s own rights`);
      await this.#expect(mighty, ask('s3:GetObject', on, plain), false, `${id}: without TLS`);
    }
  }

  /** The API that lends credentials is called by the role of jobs on Batch, through our endpoint. */
  async credentials(): Promise<void> {
    for (const [id, { Properties: properties }] of this.#all('AWS::ApiGateway::RestApi')) {
      const api = `arn:aws:execute-api:${region}:${account}:${String(this.#resolve({ Ref: id }))}`;
      const whole = JSON.stringify(this.#resolve(properties['Policy'])).replaceAll(
        '"execute-api:/',
        `"${api}/`,
      );
      const resourcePolicy = JSON.parse(whole) as Json;
      const session = (part: string) =>
        `${this.#named(resources.role(part)).replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/task`;
      const call = (path: string, endpoint: string) =>
        ask('execute-api:Invoke', `${api}/live/${path}`, { 'aws:SourceVpce': endpoint });
      const by = (part: string): Who => ({ principal: session(part), policies: [], resourcePolicy });
      const asked = call('POST/credentials', 'vpce-1');
      await this.#expect(by('job-batch'), asked, true, 'a job on Batch asks');
      await this.#expect(by('job-batch'), call('POST/credentials', 'vpce-2'), false, 'another endpoint');
      await this.#expect(by('job-batch'), call('GET/credentials', 'vpce-1'), false, 'another method');
      await this.#expect(by('job-pod'), asked, false, 'a job on EKS');
      await this.#expect(by('tenant-job'), asked, false, 'a session that was lent');
      const mighty = { ...allowing('execute-api:*'), resourcePolicy };
      await this.#expect(mighty, call('POST/credentials', 'vpce-2'), false, 'rights do not open another way');
    }
  }
}

/** Somebody of the account whose own policy allows everything of a service. */
function allowing(action: string): Pick<Who, 'principal' | 'policies'> {
  const statement = { Effect: 'Allow', Action: action, Resource: '*' };
  return {
    principal: stranger,
    policies: [{ name: 'own', policy: { Version: '2012-10-17', Statement: [statement] } }],
  };
}

/** Values of conditions as texts, which is what IAM makes of them. */
function texts(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(texts);
  if (typeof value === 'boolean') return String(value);
  return isTree(value)
    ? (Object.fromEntries(Object.entries(value).map(([key, each]) => [key, texts(each)])) as Tree)
    : value;
}

/** Starting a machine through an alias, or invoking a function. */
function starting(target: string): AwsRequest {
  if (!target.includes(':stateMachine:')) return ask('lambda:InvokeFunction', target);
  const [, machine = '', qualifier = ''] = /^(.*:stateMachine:[^:]+):(.*)$/.exec(target) ?? [];
  return ask('states:StartExecution', machine, { 'states:StateMachineQualifier': [qualifier] });
}
