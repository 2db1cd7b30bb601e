import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CostLine, costly, standingCost } from './cost.ts';
import { evaluate, type Registered } from './program.ts';
import { settingsOf } from './settings.ts';

const environments = ['dev', 'staging', 'prod'] as const;
const programs = new Map<string, Registered[]>();
const costs = new Map<string, CostLine[]>();

beforeAll(async () => {
  for (const environment of environments) {
    const resources = await evaluate(settingsOf(environment));
    programs.set(environment, resources);
    costs.set(environment, standingCost(resources));
  }
}, 120_000);

const total = (environment: string) => (costs.get(environment) ?? []).reduce((sum, { usd }) => sum + usd, 0);

/** Types that cost by use (requests, traffic, GiB kept) or nothing; a new type has to be put here or among the costly. */
const byUse = new Set(
  'autoscaling batch budgets cloudwatch ec2 ecr eks elasticache iam kms rds s3 secretsmanager sns ssm vpc'.split(
    ' ',
  ),
);

describe('what the platform costs a month before anybody uses it', () => {
  it('is what docs/provision.md says, line by line and in sum', () => {
    const text = readFileSync(new URL('../../../docs/provision.md', import.meta.url), 'utf8').replace(
      / +/g,
      ' ',
    );
    const whats = (costs.get('prod') ?? []).map(({ what }) => what);
    expect(whats.length).toBeGreaterThan(8);
    const usd = (environment: string, what: string) =>
      Math.round(costs.get(environment)?.find((line) => line.what === what)?.usd ?? 0);
    for (const what of whats)
      expect(text).toContain(`| ${what} | ${environments.map((one) => usd(one, what)).join(' | ')} |`);
    const sums = environments.map((environment) => `**${Math.round(total(environment))}**`);
    expect(text).toContain(`| **sum** | ${sums.join(' | ')} |`);
  });

  it('stays below half of each budget: the other half is for training and traffic', () => {
    for (const environment of environments)
      expect(total(environment)).toBeLessThan(settingsOf(environment).budget.monthlyUsd / 2);
  });

  it('is lower in dev than in staging, and there than in prod', () => {
    expect(total('dev')).toBeLessThan(total('staging'));
    expect(total('staging')).toBeLessThan(total('prod'));
  });

  it('looks at every type that costs while it stands, and knows the services of all others', () => {
    const types = new Set((programs.get('prod') ?? []).map(({ type }) => type.replace(/^aws:/, '')));
    for (const type of costly) expect(types).toContain(type);
    const others = [...types].filter(
      (type) => !type.startsWith('pulumi:') && !byUse.has(type.split('/')[0] ?? ''),
    );
    expect(others).toEqual([]);
  });

  it('is refused for a thing that has no price', () => {
    const resources = (programs.get('prod') ?? []).map((resource) =>
      resource.type === 'aws:rds/instance:Instance'
        ? { ...resource, inputs: { ...resource.inputs, instanceClass: 'db.x2' } }
        : resource,
    );
    expect(() => standingCost(resources)).toThrow('no price of db.x2');
  });
});
