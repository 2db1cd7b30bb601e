import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machines } from '../../lib/machines/catalogue.ts';
import { stageNames, stages } from '../../lib/training/stages.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';

describe('the project', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
    scripts: Record<string, string>;
  };

  it('has the dependencies that were asked for, serverless under its usual name', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const name of [
      'serverless',
      '@aws-sdk/client-sfn',
      '@aws-sdk/client-eks',
      '@aws-sdk/client-eventbridge',
      '@aws-sdk/client-batch',
      '@middy/core',
      '@types/aws-lambda',
      'esbuild',
      'vitest',
      'aws-sdk-client-mock',
      'asl-validator',
    ]) {
      expect(all, name).toHaveProperty([name]);
    }
    expect(all['serverless']).toMatch(/^npm:osls@\^4/);
  });

  it('has the rooms that were asked for', () => {
    for (const room of [
      'serverless.yml',
      'package.json',
      'functions',
      'statemachines',
      'lib',
      'events',
      'infra',
      'test',
      'tsconfig.json',
    ])
      expect(existsSync(room), room).toBe(true);
  });

  it('names only scripts that exist in its documents', () => {
    const documents = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md')];
    for (const document of documents) {
      for (const [, script] of readFileSync(document, 'utf8').matchAll(/npm run ([a-z][a-z:-]*)/g))
        expect(manifest.scripts, `${document}: npm run ${script}`).toHaveProperty([script ?? '']);
    }
  });

  it('keeps download addresses and machine paths out of the lockfile', () => {
    const lock = readFileSync('package-lock.json', 'utf8');
    expect(lock).not.toMatch(/"resolved": "https?:/);
  });
});

describe('the service here', () => {
  it('resolves every function, machine, schedule and rule', () => {
    const { service } = loadLocalService(resolve('.'), {});
    expect(service.functions.size).toBeGreaterThanOrEqual(9);
    expect(service.machines.map((machine) => machine.key).sort()).toEqual(
      machines.map(({ key }) => key).sort(),
    );
    expect(service.schedules.map((schedule) => schedule.name)).toContain('nightly-training');
    const keys = new Set(service.functions.keys());
    for (const { definition } of service.machines) {
      for (const [, key] of JSON.stringify(definition).matchAll(/"Fn::GetAtt":\["([^"]+)"/g))
        expect(keys.has(key ?? ''), key).toBe(true);
    }
  });

  it('has one state per stage of the catalogue, with its timeout, a heartbeat of at least ten reconciler periods and the specified retries', () => {
    const text = readFileSync('statemachines/tenant-model-training.asl.json', 'utf8');
    const found: Record<string, Record<string, never>> = {};
    JSON.parse(text, (key, value: Record<string, never>) => {
      if (typeof value === 'object' && value?.['Type'] === 'Task') found[key] = value;
      return value;
    });
    for (const stage of stageNames.map((name) => stages[name])) {
      const state = found[stage.state] as unknown as {
        Arguments: { Payload: { stage: string } };
        TimeoutSeconds: number;
        HeartbeatSeconds: number;
        Retry: { ErrorEquals: string[]; MaxAttempts: number; IntervalSeconds: number; BackoffRate: number }[];
      };
      expect(state, stage.state).toBeDefined();
      expect(state.Arguments.Payload.stage).toBe(stage.name);
      expect(state.TimeoutSeconds).toBe(stage.timeoutSeconds);
      expect(state.HeartbeatSeconds).toBeGreaterThanOrEqual(600);
      expect(state.Retry.find((retrier) => retrier.ErrorEquals.includes('JobFailed'))).toMatchObject({
        MaxAttempts: 2,
        IntervalSeconds: 300,
        BackoffRate: 1,
      });
      expect(state.Retry.find((retrier) => retrier.ErrorEquals.includes('JobPreempted'))).toMatchObject({
        MaxAttempts: 10,
      });
      for (const final of ['JobRejected', 'JobCannotStart'])
        expect(state.Retry.flatMap((retrier) => retrier.ErrorEquals)).not.toContain(final);
    }
  });

  it('gives every Task a timeout and catches nothing with a wildcard', () => {
    for (const file of readdirSync('statemachines')) {
      JSON.parse(readFileSync(`statemachines/${file}`, 'utf8'), (key, value: Record<string, unknown>) => {
        if (typeof value !== 'object' || value === null) return value;
        if (value['Type'] === 'Task') expect(value['TimeoutSeconds'], `${file} ${key}`).toBeGreaterThan(0);
        if (key === 'Catch') expect(JSON.stringify(value)).not.toContain('States.ALL');
        return value;
      });
    }
  });
});
