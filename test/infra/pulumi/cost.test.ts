import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { costCommand } from '../../../infra/pulumi/cost/cost-command.ts';
import { evaluate, type Registered } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { type CostLine, costly, standingCost } from '../../../infra/pulumi/cost/standing-cost.ts';
import { priceList, priceOf } from '../../../lib/cost/prices.ts';

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
  'autoscaling batch budgets cloudwatch ec2 ecr eks elasticache iam kms rds s3 secretsmanager sns sqs ssm vpc'.split(
    ' ',
  ),
);

describe('the monthly cost of the platform before anybody uses it', () => {
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

  it('counts what training keeps although nothing trains, by node and by vCPU', () => {
    const withMinimum = (programs.get('prod') ?? []).map((resource) => {
      if (resource.type === 'aws:autoscaling/group:Group')
        return { ...resource, inputs: { ...resource.inputs, minSize: 1 } };
      if (resource.type !== 'aws:batch/computeEnvironment:ComputeEnvironment') return resource;
      const computeResources = { ...(resource.inputs['computeResources'] as object), minVcpus: 16 };
      return { ...resource, inputs: { ...resource.inputs, computeResources } };
    });
    const idle = standingCost(withMinimum).find(({ what }) => what.startsWith('training groups'));
    // A node of 16 vCPU of each: on spot at a third, on demand, in a group and in a queue.
    expect(idle?.usd).toBeCloseTo(2 * (1 / 3 + 1) * priceOf(priceList.instanceHour, 'c5.4xlarge') * 730);
  });

  it('of a database in one zone is half of one in two', () => {
    const zones = (multiAz: boolean) =>
      standingCost(
        (programs.get('prod') ?? []).map((resource) =>
          resource.type === 'aws:rds/instance:Instance'
            ? { ...resource, inputs: { ...resource.inputs, multiAz } }
            : resource,
        ),
      ).find(({ what }) => what.startsWith('database'))?.usd ?? 0;
    expect(zones(true)).toBeCloseTo(2 * zones(false));
    expect(zones(false)).toBeGreaterThan(0);
  });
});

// Each evaluates the program again.
const listed = Date.parse(priceList.listedAt);

describe('npm run cost', { timeout: 120_000 }, () => {
  it('prints a column for each environment that is asked for, within 80 columns', async () => {
    const text = await costCommand(['prod', 'dev', 'prod'], listed);
    const rows = text.split('\n\n')[0]?.split('\n') ?? [];
    expect(rows[0]).toMatch(/^US dollars a month +prod +dev$/);
    expect(rows.at(-2)).toBe(
      `${'sum'.padEnd(49)}  ${Math.round(total('prod'))}   ${Math.round(total('dev'))}`,
    );
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(80);
    expect(text).toContain(priceList.listedAt);
    expect(text).not.toContain('days old');
  });

  it('prints the same for programs, and how old its prices are once they are', async () => {
    expect(JSON.parse(await costCommand(['--json', 'dev'], listed + 91 * 86_400_000))).toMatchObject({
      environments: [{ environment: 'dev', sum: total('dev') }],
      prices: {
        old: expect.stringMatching(/^prices of instances are 91 days old.*; other prices are 91 days old/),
      },
    });
  });

  it('is refused for an environment or an option that there is not', async () => {
    await expect(costCommand(['nope'], listed)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(costCommand(['--all'], listed)).rejects.toMatchObject({ code: 'USAGE' });
    expect(await costCommand(['--help'], listed)).toMatch(/^Usage: npm run cost/);
  });
});
