import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { detailTypes, schemaVersion } from '../../lib/event-schemas/detail.ts';
import { jobEventOf, jobEventSchema } from '../../lib/event-schemas/job-event.ts';
import type { EpsilonHandler } from '../../lib/handler/define-handler.ts';
import { findMachine } from '../../lib/machines/catalogue.ts';
import { compilePattern } from '../../local/bus/pattern.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';
import { fillInput } from '../../local/schedule/schedule-input.ts';
import { silentLog } from '../fixtures/silent-log.ts';

type Tree = { readonly [key: string]: unknown };

const folder = resolve('events/samples');
const bucket = 'embeddings-saas-data';
const arn = (service: string, rest: string) => `arn:aws:${service}:us-west-2:123456789012:${rest}`;

const samples = new Map(
  readdirSync(folder).map((file) => [
    file.replace(/\.json$/, ''),
    JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as Tree,
  ]),
);
const sample = (name: string): Tree => {
  const found = samples.get(name);
  if (!found) throw new Error(`events/samples has no ${name}.json`);
  return found;
};
const events = [...samples].filter(([, value]) => 'detail-type' in value);

/** What the names in rules.yml stand for in the samples. */
const standsFor: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(
      readYaml('infra/serverless/state-machines.yml') as Readonly<Record<string, { readonly id: string }>>,
    ).map(([key, { id }]) => [id, arn('states', `stateMachine:epsilon-local-${key}`)]),
  ),
  BatchSpotQueueArn: arn('batch', 'job-queue/epsilon-local-batch-spot'),
  BatchOnDemandQueueArn: arn('batch', 'job-queue/epsilon-local-batch-on-demand'),
  DatabaseInstanceId: 'epsilon-local',
};

/** How the declarations write the environment. */
const stage = ['$', '{sls:stage}'].join('');

function withoutIntrinsics(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIntrinsics);
  if (typeof value === 'string') return value.replaceAll(stage, 'local');
  if (typeof value !== 'object' || value === null) return value;
  const { Ref: ref, ...others } = value as Tree;
  if (typeof ref === 'string' && Object.keys(others).length === 0) {
    const stand = standsFor[ref];
    if (stand === undefined) throw new Error(`Say in test/events/samples.test.ts what ${ref} stands for.`);
    return stand;
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutIntrinsics(each)]));
}

interface Rule {
  readonly name: string;
  readonly pattern: unknown;
  /** Keys of the functions it invokes. */
  readonly functions: readonly string[];
}

function rulesOf(file: string): Rule[] {
  const { Resources: resources } = readYaml(file) as { Resources: Tree };
  return Object.entries(resources).flatMap(([name, value]) => {
    const { Type: type, Properties: properties } = value as { Type: string; Properties: Tree };
    if (type !== 'AWS::Events::Rule') return [];
    const targets = (properties['Targets'] ?? []) as { Arn?: { 'Fn::GetAtt'?: string[] } }[];
    const functions = targets.flatMap(({ Arn }) => {
      const id = /^(.+)LambdaFunction$/.exec(Arn?.['Fn::GetAtt']?.[0] ?? '')?.[1];
      return id === undefined ? [] : [`${id.charAt(0).toLowerCase()}${id.slice(1)}`];
    });
    return [{ name, pattern: withoutIntrinsics(properties['EventPattern']), functions }];
  });
}

const rules = rulesOf('events/rules.yml');
const { service } = loadLocalService(resolve('.'), {});

/** Ports whose every use says so: an event that gets that far was accepted at the door. */
const untouchable = new Proxy({} as never, {
  get: (_, port) => {
    const own: Readonly<Record<string, unknown>> = {
      config: { dataBucket: bucket, reconcile: { shards: 1 }, quality: {}, training: {} },
      log: silentLog,
      clock: { now: () => 0 },
      metrics: { count: () => {}, duration: () => {} },
      place: undefined,
    };
    if (typeof port === 'string' && port in own) return own[port];
    throw Object.assign(new Error(`touched ${String(port)}`), { code: 'PORT_TOUCHED' });
  },
});

async function codeOf(key: string, event: unknown): Promise<string> {
  const declared = service.functions.get(key);
  if (!declared) throw new Error(`There is no function "${key}".`);
  const module = (await import(pathToFileURL(declared.file).href)) as { handler: EpsilonHandler };
  const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 1000 } as Context;
  try {
    await module.handler.withPorts(untouchable)(event, context);
    return 'accepted';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

describe('a sample event', () => {
  it.each(events)('%s is in EventBridge’s envelope', (_, event) => {
    expect(event).toMatchObject({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      source: expect.stringMatching(/^(aws|epsilon)\.[a-z0-9]+$/),
      'detail-type': expect.any(String),
      account: '123456789012',
      region: 'us-west-2',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      resources: expect.any(Array),
      detail: expect.any(Object),
    });
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(262_144);
    expect(JSON.stringify(event)).not.toMatch(/token/i);
  });

  it('exists for every event we publish, in our detail’s form', () => {
    const ours = events.filter(([, { source }]) => String(source).startsWith('epsilon.'));
    expect(new Set(ours.map(([, event]) => event['detail-type']))).toEqual(
      new Set([...Object.values(detailTypes), 'Reconcile Shard']),
    );
    for (const [, event] of ours) {
      expect(event['detail']).toMatchObject({
        schemaVersion,
        tenantId: expect.any(String),
        runId: expect.any(String),
        logicalDate: '2026-11-24',
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
        data: expect.any(Object),
      });
    }
  });
});

describe('a rule', () => {
  it('is read at all', () => {
    expect(rules.length).toBeGreaterThanOrEqual(2);
  });

  it.each(rules)('$name has a sample that it matches', ({ pattern }) => {
    const matches = compilePattern(pattern);
    expect(events.filter(([, event]) => matches(event)).map(([name]) => name)).not.toEqual([]);
  });

  it.each(rules)('$name matches no sample that its target refuses', async ({ pattern, functions }) => {
    const matches = compilePattern(pattern);
    for (const [name, event] of events.filter(([, each]) => matches(each)))
      for (const key of functions) {
        const code = await codeOf(key, event);
        expect([name, key, code]).not.toEqual([name, key, 'EVENT_SCHEMA']);
      }
  });
});

describe('a schedule', () => {
  it.each(service.schedules)(
    '$name gives a machine input that the catalogue knows, and a function what its sample says',
    async ({ name, input, target }) => {
      const filled = fillInput(input, {
        scheduledTime: '2026-11-24T02:00:00.000Z',
        scheduleArn: arn('scheduler', `schedule/default/epsilon-local-${name}`),
        executionId: 'd32c5kddcf5bb8c3',
        attempt: 1,
      });
      if (target.kind === 'machine') {
        expect(findMachine(target.key)?.input.strict().parse(filled)).toEqual(filled);
        return;
      }
      expect(filled).toEqual(sample(`schedule-${name}`));
      expect(await codeOf(target.key, filled)).not.toBe('EVENT_SCHEMA');
    },
  );
});

describe('completeJob reading a sample', () => {
  const read = (name: string) => jobEventOf(jobEventSchema.parse(sample(name)), bucket);

  it.each([
    ['job-state-change-running', { stage: 'prepare', observed: { state: 'running' } }],
    [
      'job-state-change-succeeded',
      { stage: 'prepare', observed: { state: 'succeeded', exitCode: 0, result: { passages: 1204 } } },
    ],
    ['batch-job-running', { observed: { state: 'running', startedAt: expect.any(String) } }],
    ['batch-job-succeeded', { observed: { state: 'succeeded', reason: 'completed', exitCode: 0 } }],
    ['batch-job-failed', { observed: { state: 'failed', reason: 'error', exitCode: 1 } }],
    [
      'batch-job-out-of-memory',
      { observed: { state: 'failed', reason: 'error', message: expect.stringContaining('out of memory') } },
    ],
    ['batch-job-spot-terminated', { observed: { state: 'failed', reason: 'preempted' } }],
  ])('%s', (name, told) => {
    expect(read(name)).toMatchObject({
      runId: 'acme-2026-11-24',
      tenantId: 'acme',
      attempt: 1,
      traceId: '0af7651916cd43dd8448eb211c80319c',
      ...told,
    });
  });

  it('is nothing when the job belongs to another environment', () => {
    expect(jobEventOf(jobEventSchema.parse(sample('batch-job-failed')), 'embeddings-saas-data-dev')).toBe(
      undefined,
    );
  });
});
