import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compilePattern } from '../../../local/bus/pattern.ts';
import { readYaml } from '../../../local/declaration/read-yaml.ts';

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Properties: Readonly<Record<string, unknown>> }>>;
}

const places: Readonly<Record<string, string>> = {
  Partition: 'aws',
  Region: 'us-west-2',
  AccountId: '123456789012',
  Environment: 'local',
};

/** A value of the template for the environment of the samples. */
function filled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== 'object' || value === null) return value;
  const { 'Fn::Sub': text } = value as Readonly<Record<string, string>>;
  if (text !== undefined)
    return text.replaceAll(/\$\{(?:AWS::)?(\w+)\}/g, (_, name: string) => String(places[name]));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one)]));
}

const { Resources: resources } = readYaml('infra/airflow/ends-queue.yml') as Template;
const matches = compilePattern(filled(resources['Rule']?.Properties['EventPattern']));

const sample = JSON.parse(readFileSync('events/samples/execution-status-change-failed.json', 'utf8')) as {
  readonly detail: Readonly<Record<string, unknown>>;
};
const event = (over: Readonly<Record<string, unknown>>) => ({
  ...sample,
  detail: { ...sample.detail, name: 'airflow-0123456789abcdef01234567', ...over },
});
const machine = 'arn:aws:states:us-west-2:123456789012:stateMachine:';

it.each([
  ['an execution that an operator began and that failed', {}, true],
  ['one that succeeded', { status: 'SUCCEEDED' }, true],
  ['one that was stopped', { status: 'ABORTED' }, true],
  ['one that runs', { status: 'RUNNING' }, false],
  ['one that waits to be redriven', { status: 'PENDING_REDRIVE' }, false],
  ["one of Epsilon's own nights", { name: 'acme-2026-11-24' }, false],
  ['one of another environment', { stateMachineArn: `${machine}epsilon-prod-tenant-model-training` }, false],
  ["somebody else's", { stateMachineArn: `${machine}airflow` }, false],
])('queue of ends gets %s: %j', (_, over, wanted) => {
  expect(matches(event(over))).toBe(wanted);
});

it('operator begins executions by names that the rule takes', () => {
  const hook = readFileSync('infra/airflow/provider/epsilon_provider/hook.py', 'utf8');
  expect(hook).toContain('base = f"airflow-{');
});

it('only the rule may put events there', () => {
  const document = resources['Policy']?.Properties['PolicyDocument'] as
    | { readonly Statement: readonly { readonly Effect: string }[] }
    | undefined;
  expect(document?.Statement.filter(({ Effect }) => Effect === 'Allow')).toEqual([
    {
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: { 'Fn::GetAtt': ['Queue', 'Arn'] },
      Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': ['Rule', 'Arn'] } } },
    },
  ]);
});
