import { readFileSync } from 'node:fs';
import { GetScheduleCommand, ListSchedulesCommand, UpdateScheduleCommand } from '@aws-sdk/client-scheduler';
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  RedriveExecutionCommand,
  StopExecutionCommand,
  UpdateMapRunCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { openMemoryStores } from '../dynamodb/memory-stores.ts';
import { aModel, aTenant } from '../fixtures/records.ts';
import { deployedEnvironment, eventBridge, execution, s3, scheduler, sfn } from './aws-harness.ts';

const memory = openMemoryStores();
const { epsilon } = deployedEnvironment({ stores: () => memory });

/** Actions that docs/operators.md grants, as `service:Action`; a name without a service is of the one before it. */
function granted(): Set<string> {
  const rows = readFileSync('docs/operators.md', 'utf8').split('\n');
  const from = rows.findIndex((row) => row.startsWith('| statement'));
  const found = new Set<string>();
  for (const row of rows.slice(from + 2, rows.indexOf('', from))) {
    let service = '';
    for (const [, name = ''] of (row.split('|')[2] ?? '').matchAll(/`([\w:]+)`/g)) {
      const [first = '', second] = name.split(':');
      service = second === undefined ? service : first;
      found.add(`${service}:${second ?? first}`);
    }
  }
  return found;
}

/** The IAM action behind a call of S3; elsewhere a call is called as its action. */
const s3Actions: Readonly<Record<string, string>> = { ListObjectsV2: 'ListBucket', HeadObject: 'GetObject' };

/** What a transaction needs is what its parts need. */
const partActions: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};

function used(): Set<string> {
  const named = (service: string, calls: readonly { readonly firstArg: unknown }[]) =>
    calls.map(({ firstArg }) => {
      const name = (firstArg as object).constructor.name.replace(/Command$/, '');
      return `${service}:${service === 's3' ? (s3Actions[name] ?? name) : name}`;
    });
  const table = memory.dynamo.calls.flatMap(({ action, input }) =>
    action === 'TransactWriteItems'
      ? ((input['TransactItems'] ?? []) as object[]).flatMap((part) =>
          Object.keys(part).map((kind) => `dynamodb:${partActions[kind] ?? kind}`),
        )
      : [`dynamodb:${action}`],
  );
  return new Set([
    ...named('states', sfn.calls()),
    ...named('s3', s3.calls()),
    ...named('events', eventBridge.calls()),
    ...named('scheduler', scheduler.calls()),
    ...table,
  ]);
}

describe('an operator’s rights on AWS', () => {
  it('in docs/operators.md cover every call that the verbs make', async () => {
    for (const modelVersion of ['v1', 'v2']) {
      const runs = 's3://embeddings-saas-data-dev/acme/runs';
      await memory.models.register(aModel({ runs, modelVersion, runId: modelVersion }));
    }
    await memory.tenants.put(aTenant({ backend: 'batch' }), 0);
    sfn.on(ListExecutionsCommand).resolves({ executions: [] });
    sfn.on(GetExecutionHistoryCommand).resolves({ events: [] });
    sfn.on(StopExecutionCommand).resolves({});
    sfn.on(RedriveExecutionCommand).resolves({});
    sfn.on(ListMapRunsCommand).resolves({ mapRuns: [] });
    sfn.on(DescribeMapRunCommand).resolves({ status: 'RUNNING' });
    sfn.on(UpdateMapRunCommand).resolves({});
    const nightly = {
      Name: 'epsilon-dev-nightly-training',
      ScheduleExpression: 'cron(0 2 * * ? *)',
      State: 'ENABLED' as const,
      FlexibleTimeWindow: { Mode: 'OFF' as const },
      Target: { Arn: 'arn:aws:states:us-west-2:123456789012:stateMachine:x:live', RoleArn: 'r', Input: '{}' },
    };
    scheduler.on(ListSchedulesCommand).resolves({ Schedules: [{ Name: nightly.Name }] });
    scheduler.on(GetScheduleCommand).resolves(nightly);
    scheduler.on(UpdateScheduleCommand).resolves({});
    const mapRun = 'arn:aws:states:us-west-2:123456789012:mapRun:epsilon-dev-nightly-training/Train:1f';
    const name = 'tenant-model-training/acme-1';
    memory.dynamo.calls.splice(0);
    const verbs: readonly (readonly string[])[] = [
      ['tenants', 'add', 'beta', '--documents', 'docs', '--priority', '9'],
      ['tenants', 'update', 'beta', '--priority', '10'],
      ['tenants', 'list'],
      ['tenants', 'suspend', 'acme'],
      ['tenants', 'resume', 'acme'],
      ['models', 'promote', 'acme', 'v1'],
      ['models', 'promote', 'acme', 'v2'],
      ['models', 'rollback', 'acme'],
      ['models', 'list', 'acme'],
      ['run', 'tenant-model-training', '--tenant', 'acme', '--no-wait'],
      ['executions'],
      ['describe', name],
      ['history', name],
      ['redrive', name, '--no-wait'],
      ['map-runs', 'list', name],
      ['map-runs', 'describe', mapRun],
      ['map-runs', 'update', mapRun, '--max-concurrency', '50'],
      ['schedules', 'pause', 'nightly-training'],
      ['schedules', 'resume', 'nightly-training'],
      ['audit'],
      ['forecast', '--at', '2026-11-25T02:00:00Z'],
      ['tenants', 'remove', 'beta', '--yes'],
    ];
    for (const verb of verbs) {
      const { code, err } = await epsilon(verb);
      expect([verb.join(' '), code, err]).toEqual([verb.join(' '), 0, '']);
    }
    sfn.on(DescribeExecutionCommand).resolves(execution({ status: 'RUNNING', output: undefined }));
    expect(await epsilon(['stop', name])).toMatchObject({ code: 0 });
    const rights = granted();
    expect(rights.size).toBeGreaterThan(25);
    const calls = [...used()].sort();
    expect(calls).toContain('dynamodb:ConditionCheckItem');
    expect(calls).toContain('events:PutEvents');
    expect(calls).toContain('states:UpdateMapRun');
    expect(calls.filter((action) => !rights.has(action))).toEqual([]);
  });

  it('name the actor of every act as STS does', async () => {
    const { entries } = (await epsilon(['audit', '--json', '--limit', '100'])).json() as unknown as {
      entries: { actor: string; via: string; outcome: string }[];
    };
    expect(entries.length).toBeGreaterThanOrEqual(11);
    for (const { actor, via, outcome } of entries)
      expect([actor, via, outcome]).toEqual(['arn:aws:sts::123456789012:role/r', 'aws', 'done']);
  });
});
