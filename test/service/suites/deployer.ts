import { expect, it } from 'vitest';
import { deployRights } from '../../../infra/pulumi/delivery/deploy-rights.ts';
import { tableRows } from '../../docs/tables.ts';
import type { Packaged } from '../packaging.ts';
import { at, list, ofType } from '../template.ts';

/** What the page calls the services that a template's types belong to. */
const named: Readonly<Record<string, string>> = {
  ApiGateway: 'API Gateway',
  CloudWatch: 'CloudWatch',
  DynamoDB: 'DynamoDB',
  EKS: 'EKS',
  Events: 'EventBridge',
  IAM: 'IAM',
  KMS: 'KMS',
  Lambda: 'Lambda',
  Logs: 'Logs',
  S3: 'S3',
  SQS: 'SQS',
  Scheduler: 'Scheduler',
  StepFunctions: 'Step Functions',
};

const rows = tableRows('docs/deploy.md', 'What the deploying principal needs').map(
  ([services = '', on = '', actions = '']) => ({
    services: services.split(', ').map((service) => service.replace(/ \(.*\)$/, '')),
    on,
    actions,
  }),
);
const rowOf = (service: string) => rows.find(({ services }) => services.includes(service));

/** Whoever deploys needs what the page says of every kind of resource, and of those names alone. */
export function checkDeployer(packaged: () => Packaged): void {
  const template = () => packaged().template;

  it('names the service of every resource in what the deploying principal needs', () => {
    const services = new Set(
      Object.values(template().Resources).map(({ Type }) => Type.split('::')[1] ?? ''),
    );
    for (const service of services) expect(rowOf(named[service] ?? service), service).toBeDefined();
    const needed = new Set([...services].map((service) => named[service]));
    const beside = ['CloudFormation', 'SSM', 'EC2', 'EKS'];
    const idle = rows
      .flatMap((row) => row.services)
      .filter((one) => !needed.has(one) && !beside.includes(one));
    expect(idle).toEqual([]);
  });

  it('is a role whose rights speak of every type of the template, and of none that no environment has', () => {
    const { Parameters: parameters = {}, Resources: resources } = template();
    const types = new Set(
      [...Object.values(resources), ...Object.values(parameters)].map(({ Type }) => Type.replace(/<.*/, '')),
    );
    types.delete('AWS::IAM::Role');
    const covered = new Set(deployRights.flatMap((right) => right.types));
    expect([...types].filter((type) => !covered.has(type))).toEqual([]);
    if (packaged().environment === 'prod')
      expect([...covered].filter((type) => !types.has(type))).toEqual([]);
  });

  it('names the services that take the roles, to which the deploying principal passes them', () => {
    const takers = ofType(template(), 'AWS::IAM::Role').flatMap(([, { Properties: properties }]) =>
      list(at(properties, 'AssumeRolePolicyDocument', 'Statement', 0, 'Principal', 'Service')),
    );
    const passed = /`PassRole` to ([\w, -]+)/.exec(rowOf('IAM')?.actions ?? '')?.[1] ?? '';
    const services = [...new Set(takers.map((taker) => String(taker).replace('.amazonaws.com', '')))];
    expect(passed.split(', ').sort()).toEqual(services.sort());
  });

  it('gives every resource that has a name of its own the name of its environment', () => {
    const { environment } = packaged();
    const names = Object.entries(template().Resources).flatMap(([id, { Type, Properties: properties }]) => {
      const own = [
        'TableName',
        'FunctionName',
        'StateMachineName',
        'QueueName',
        'AlarmName',
        'DashboardName',
      ];
      const isNamed = !/(Version|EvConf|Permission)$/.test(Type) && Type !== 'AWS::Lambda::EventInvokeConfig';
      return own.flatMap((key) =>
        isNamed && typeof properties[key] === 'string' ? [[id, String(properties[key])] as const] : [],
      );
    });
    expect(names.length).toBeGreaterThan(20);
    for (const [id, name] of names) expect(name, id).toMatch(new RegExp(`^epsilon-${environment}(-|$)`));
  });
}
