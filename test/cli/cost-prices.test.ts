import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeSpotPriceHistoryCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetProductsCommand, PricingClient } from '@aws-sdk/client-pricing';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { costOfAttempt, trainingTypes } from '../../lib/cost/attempt-cost.ts';
import { type InstancePrices, instancePrices, priceList, spotShareOf } from '../../lib/cost/prices.ts';
import type { Attempt } from '../../lib/training/run.ts';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { freshDir } from '../fresh-dir.ts';
import { call } from './harness.ts';

const pricing = mockClient(PricingClient);
const ec2 = mockClient(EC2Client);
const now = Date.parse('2026-12-01T12:00:00Z');

afterEach(() => {
  pricing.reset();
  ec2.reset();
});

const product = (...hours: readonly (string | undefined)[]) =>
  JSON.stringify({
    terms: {
      OnDemand: Object.fromEntries(
        hours.map((USD, at) => [at, { priceDimensions: { x: { unit: 'Hrs', pricePerUnit: { USD } } } }]),
      ),
    },
  });

const changed = (at: string, zone: string, SpotPrice: string) => ({
  Timestamp: new Date(at),
  AvailabilityZone: zone,
  InstanceType: 'c5.4xlarge' as const,
  SpotPrice,
});

/** Price list and history: everything costs a dollar an hour, spot a quarter until noon of a day and half after it. */
function answering(
  priceOf: (type: string) => string[] = () => [product('1.0000000000', '0.0000000000')],
): string {
  pricing.on(GetProductsCommand).callsFake(({ Filters }) => ({
    PriceList: priceOf(Filters.find((one: { Field: string }) => one.Field === 'instanceType').Value),
  }));
  ec2
    .on(DescribeSpotPriceHistoryCommand)
    .resolvesOnce({
      SpotPriceHistory: [changed('2026-11-30T12:00:00Z', 'us-west-2a', '0.5')],
      NextToken: 'more',
    })
    .resolves({
      SpotPriceHistory: [
        changed('2026-11-30T00:00:00Z', 'us-west-2a', '0.25'),
        changed('2026-11-30T18:00:00Z', 'us-west-2b', '0.3'),
        changed('2026-11-29T00:00:00Z', 'us-west-2b', 'free'),
      ],
      NextToken: '',
    });
  const projectDir = freshDir();
  mkdirSync(join(projectDir, 'lib', 'cost'), { recursive: true });
  return projectDir;
}

const update = (projectDir: string, ...args: string[]) =>
  call({ projectDir, clock: new VirtualClock(now) }, ['cost', 'prices', 'update', ...args]);
const written = (projectDir: string) =>
  JSON.parse(readFileSync(join(projectDir, 'lib', 'cost', 'instances.json'), 'utf8')) as InstancePrices;

describe('cost prices', () => {
  it('list is shown with its age', async () => {
    const ran = await call({ clock: new VirtualClock(Date.parse('2026-04-05T00:00:00Z')) }, [
      'cost',
      'prices',
    ]);
    expect(ran.out).toContain('c5.4xlarge');
    expect(ran.out).toContain('note: prices of instances are 95 days old');
  });

  it('every price is looked up, and spot by the day and zone, each price until the next', async () => {
    const projectDir = answering();
    const ran = await update(projectDir);
    expect(ran).toMatchObject({ code: 0, err: '' });
    const list = written(projectDir);
    expect(list).toMatchObject({ listedAt: '2026-12-01', instanceHour: { 'c5.4xlarge': 1, 't3.large': 1 } });
    expect(Object.keys(list.instanceHour)).toEqual(Object.keys(instancePrices.instanceHour));
    expect(list.spotHour['c5.4xlarge']).toEqual({
      'us-west-2a': { '2026-11-30': 0.375, '2026-12-01': 0.5 },
      'us-west-2b': { '2026-11-30': 0.3, '2026-12-01': 0.3 },
    });
    expect(Object.keys(list.spotHour)).toEqual([...trainingTypes]);
    expect(spotShareOf('c5.4xlarge', '2026-11-30', 'us-west-2a', list)).toBe(0.375);
    expect(spotShareOf('c5.4xlarge', '2026-12-01', undefined, list)).toBe(0.4);
    // A zone of which nothing is listed costs what the others do on average.
    expect(spotShareOf('c5.4xlarge', '2026-12-01', 'us-west-2d', list)).toBe(0.4);
    expect(spotShareOf('c5.4xlarge', '2026-10-01', undefined, list)).toBe(priceList.spotShare);
    expect(spotShareOf('constructor', '2026-12-01', undefined, list)).toBe(priceList.spotShare);
  });

  it('dry run shows what would change and writes nothing', async () => {
    const projectDir = answering();
    const ran = await update(projectDir, '--dry-run');
    expect(ran.out).toContain('Nothing is written');
    expect(() => written(projectDir)).toThrow();
  });

  it.each<[string, string[], string]>([
    ['no price', [], 'PRICE_UNKNOWN'],
    ['a price of nothing', [product('0.0000000000')], 'PRICE_UNKNOWN'],
    ['a price that is no number', [product(undefined)], 'PRICE_UNKNOWN'],
    ['two prices', [product('1'), product('2')], 'PRICE_AMBIGUOUS'],
  ])('list with %s of one type is refused, and nothing is written', async (_, products, code) => {
    const projectDir = answering((type) => (type === 'db.t3.medium' ? products : [product('1')]));
    const ran = await update(projectDir);
    expect(ran.err).toContain(`error ${code}: `);
    expect(ran.err).toContain('db.t3.medium');
    expect(() => written(projectDir)).toThrow();
  });

  it('project that cannot be written is said so', async () => {
    answering();
    const ran = await update('/nowhere');
    expect(ran.err).toContain('error PRICES_UNWRITABLE: ');
  });

  it('attempt on a day without a listed price on spot pays the assumed part', () => {
    const attempt = {
      stage: 'train',
      status: 'succeeded',
      backend: 'batch',
      capacity: 'spot',
      resources: { cpu: 16, memoryMiB: 1 },
      startedAt: '1999-01-01T00:00:00Z',
      finishedAt: '1999-01-01T01:00:00Z',
    } as Attempt;
    const { usd, onDemandUsd } = costOfAttempt(attempt, now);
    expect(usd).toBeCloseTo(onDemandUsd * priceList.spotShare, 9);
  });
});
