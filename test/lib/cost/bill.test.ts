import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CostExplorerClient, GetCostAndUsageCommand } from '@aws-sdk/client-cost-explorer';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createRecordBill } from '../../../functions/cost/record-bill.ts';
import { costExplorerBills } from '../../../lib/aws/billing/cost-explorer-bills.ts';
import { type BilledDay, isYoung, monthForecast, reconcile, servingTypes } from '../../../lib/cost/bill.ts';
import { priceList } from '../../../lib/cost/prices.ts';
import { NotFound } from '../../../lib/errors/store-errors.ts';
import { createOperatorApi } from '../../../lib/operations/operator/operator-api.ts';
import type { Bills } from '../../../lib/ports/bills.ts';
import { fileBills } from '../../../local/adapters/bills.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { epsilon } from '../../cli/harness.ts';
import { devSettings, objectStoreOf, testPorts } from '../../fixtures/ports.ts';
import { freshDir } from '../../fresh-dir.ts';

const line = (service: string, usage: string, usd: number, quantity = 1) => ({
  service,
  usage,
  usd,
  quantity,
});
const ec2 = 'Amazon Elastic Compute Cloud - Compute';
const spotHour = 0.68 * priceList.spotShare;

/** A day: ten hours of training on spot, the cluster, what serves, a call, tax. */
const dayOf = (day: string, over: readonly ReturnType<typeof line>[] = []): BilledDay => ({
  day,
  final: false,
  lines: [
    line(ec2, 'USW2-SpotUsage:c5.4xlarge', 10 * spotHour, 10),
    line(ec2, 'USW2-BoxUsage:t3.large', 4, 48),
    line('Amazon Elastic Container Service for Kubernetes', 'USW2-AmazonEKS-Hours:perCluster', 2.4, 24),
    line('AWS Lambda', 'USW2-Lambda-GB-Second', 0.2, 1),
    line('Tax', '', 1.5),
    ...over,
  ],
});

describe('estimate beside the bill', () => {
  const estimated = { jobsUsd: 1.5, storageUsd: 0, controlUsd: 0.05 };

  it('estimate, shared, idle and unallocated are the bill', () => {
    const found = reconcile([dayOf('2026-11-20')], estimated);
    expect(found.gapUsd).toBeCloseTo(0, 9);
    expect(found.idleUsd).toBeCloseTo(10 * spotHour - 1.5, 9);
    expect(found.sharedUsd).toBeCloseTo(4 + 2.4 + 0.15, 9);
    expect(found.unallocatedUsd).toBe(1.5);
    const { estimateUsd, sharedUsd, idleUsd, unallocatedUsd, billUsd } = found;
    expect(estimateUsd + sharedUsd + idleUsd + unallocatedUsd).toBeCloseTo(billUsd, 9);
  });

  it('spot that is dearer than the list says is a gap, and so is work that no instance was billed for', () => {
    const dear = reconcile([dayOf('2026-11-20', [line(ec2, 'USW2-SpotUsage:c5.4xlarge', 5, 10)])], estimated);
    expect(dear.gapUsd).toBeCloseTo(5 - 10 * spotHour, 9);
    expect(dear.gapShare).toBeGreaterThan(0.05);
    expect(
      reconcile([dayOf('2026-11-20')], { jobsUsd: 50, storageUsd: 0, controlUsd: 0 }).gapUsd,
    ).toBeLessThan(-40);
  });

  it('instance without a price costs what is billed, whatever its type is called', () => {
    for (const type of ['m9i.4xlarge', 'constructor.large', 'x2idn.metal'])
      expect(
        reconcile([dayOf('2026-11-20', [line(ec2, `USW2-BoxUsage:${type}`, 7)])], estimated).gapUsd,
      ).toBeCloseTo(0, 9);
  });

  it('storage that tenants use is taken off what disks and objects are billed, the rest is shared', () => {
    const kept = [
      line('Amazon Simple Storage Service', 'USW2-TimedStorage-ByteHrs', 2),
      line('EC2 - Other', 'USW2-EBS:VolumeUsage.gp3', 1),
    ];
    const found = reconcile([dayOf('2026-11-20', kept)], { ...estimated, storageUsd: 0.5 });
    expect(found.gapUsd).toBeCloseTo(0, 9);
    expect(found.sharedUsd).toBeCloseTo(4 + 2.4 + 0.15 + 2.5, 9);
    expect(found.estimateUsd).toBeCloseTo(1.5 + 0.5 + 0.05, 9);
  });

  it('size that is not listed costs its part of a size of its family that is', () => {
    const large = line(ec2, 'USW2-BoxUsage:c5.9xlarge', 1.53, 1);
    expect(
      reconcile([{ ...dayOf('2026-11-20'), lines: [large] }], { ...estimated, jobsUsd: 0, controlUsd: 0 }),
    ).toMatchObject({
      idleUsd: expect.closeTo((0.68 / 16) * 36, 9),
      gapUsd: expect.closeTo(0, 9),
    });
  });

  it('nothing billed and nothing estimated has no gap', () => {
    expect(reconcile([], { jobsUsd: 0, storageUsd: 0, controlUsd: 0 })).toMatchObject({
      gapShare: 0,
      billUsd: 0,
    });
    expect(reconcile([], estimated).gapShare).toBe(1);
  });

  it('instances that serve are those of infrastructure', () => {
    const { nodeGroups } = parse(readFileSync('infra/config/infrastructure/prod.yml', 'utf8')) as {
      nodeGroups: Record<'general' | 'ml_workloads', { instanceTypes: string[] }>;
    };
    const { general, ml_workloads } = nodeGroups;
    expect([...servingTypes].sort()).toEqual(
      [...general.instanceTypes, ...ml_workloads.instanceTypes].sort(),
    );
  });
});

describe('days and months', () => {
  it('day is young until 48 hours after its end', () => {
    expect(isYoung('2026-11-20', Date.parse('2026-11-22T23:59:59Z'))).toBe(true);
    expect(isYoung('2026-11-20', Date.parse('2026-11-23T00:00:00Z'))).toBe(false);
  });

  const days = (count: number, usd: (at: number) => number): BilledDay[] =>
    Array.from({ length: count }, (_, at) => ({
      day: `2026-11-${String(at + 1).padStart(2, '0')}`,
      final: false,
      lines: [line(ec2, 'x', usd(at))],
    }));

  it('month costs what is settled, and for the days to come what days cost', () => {
    const now = Date.parse('2026-11-21T12:00:00Z');
    const even = monthForecast(
      days(20, () => 10),
      '2026-11',
      now,
    );
    expect(even).toMatchObject({ soFarUsd: 180, expectedUsd: 300, lowUsd: 300, highUsd: 300 });
    const uneven = monthForecast(
      days(20, (at) => (at % 2 ? 5 : 15)),
      '2026-11',
      now,
    );
    expect(uneven?.lowUsd).toBeLessThan(uneven?.expectedUsd ?? 0);
    expect(
      monthForecast(
        days(4, () => 10),
        '2026-11',
        Date.parse('2026-11-05T00:00:00Z'),
      ),
    ).toBeUndefined();
  });
});

/** The contract of a bill, for an adapter over these days. */
function billsContract(name: string, make: (days: readonly BilledDay[]) => Bills): void {
  it(`bill from ${name} has the days from one up to another, in their order`, async () => {
    const days = ['2026-11-03', '2026-11-01', '2026-11-02'].map((day) => dayOf(day));
    const { days: found } = await make(days).daily('2026-11-01', '2026-11-03');
    expect(found).toEqual([dayOf('2026-11-01'), dayOf('2026-11-02')]);
    expect((await make([]).daily('2026-11-01', '2026-11-03')).days).toEqual([]);
  });
}

/** Cost Explorer: two groups a page, amounts as text. */
function costExplorer(days: readonly BilledDay[]) {
  const client = new CostExplorerClient({ region: 'us-east-1' });
  const mock = mockClient(client);
  mock.on(GetCostAndUsageCommand).callsFake(({ TimePeriod, NextPageToken = '0' }) => {
    const groups = days
      .filter(({ day }) => day >= TimePeriod.Start && day < TimePeriod.End)
      .flatMap(({ day, final, lines }) => lines.map((one) => ({ day, final, one })));
    const from = Number(NextPageToken);
    return {
      ResultsByTime: groups.slice(from, from + 2).map(({ day, final, one }) => ({
        TimePeriod: { Start: day },
        Estimated: !final,
        Groups: [
          {
            Keys: [one.service, one.usage],
            Metrics: {
              AmortizedCost: { Amount: String(one.usd) },
              UsageQuantity: { Amount: String(one.quantity) },
            },
          },
        ],
      })),
      ...(from + 2 < groups.length ? { NextPageToken: String(from + 2) } : {}),
    };
  });
  return costExplorerBills(client, { billing: { scope: 'account' }, environment: 'prod' });
}

describe('bill', () => {
  billsContract('Cost Explorer', costExplorer);
  billsContract('a file', (days) => {
    const file = join(freshDir(), 'bill.json');
    if (days.length > 0) writeFileSync(file, JSON.stringify(days));
    return fileBills(file);
  });

  it('every page of Cost Explorer counts as a request that is paid for', async () => {
    expect((await costExplorer([dayOf('2026-11-01')]).daily('2026-11-01', '2026-11-02')).requests).toBe(3);
  });

  it('bill of one environment of several in an account is that of its tag', async () => {
    const client = new CostExplorerClient({ region: 'us-east-1' });
    const mock = mockClient(client);
    mock.on(GetCostAndUsageCommand).resolves({ ResultsByTime: [] });
    for (const scope of ['account', 'tagged'] as const)
      await costExplorerBills(client, { billing: { scope }, environment: 'dev' }).daily(
        '2026-11-01',
        '2026-11-02',
      );
    expect(mock.commandCalls(GetCostAndUsageCommand).map(({ args: [{ input }] }) => input.Filter)).toEqual([
      undefined,
      { Tags: { Key: 'epsilon:environment', Values: ['dev'] } },
    ]);
  });

  function opened(now: string, scope: 'account' | 'tagged' = 'account') {
    const kept = new Map<string, string>();
    const counted: string[] = [];
    const asked: string[] = [];
    const clock = new VirtualClock(Date.parse(now));
    const all = Array.from({ length: 30 }, (_, at) => dayOf(`2026-11-${String(at + 1).padStart(2, '0')}`));
    const days = [{ ...dayOf('2026-10-31'), final: false }, ...all];
    const ports = testPorts({
      clock,
      config: { ...devSettings, billing: { scope } },
      metrics: { count: (name) => void counted.push(name), duration: () => {} },
      objects: objectStoreOf({
        get: async (uri) => {
          if (!kept.has(uri)) throw new NotFound('OBJECT_NOT_FOUND', uri);
          return new TextEncoder().encode(kept.get(uri));
        },
        put: async (uri, body) => void kept.set(uri, String(body)),
      }),
      bills: {
        daily: async (from, until) => {
          asked.push(`${from} ${until}`);
          const final = clock.now() >= Date.parse('2026-11-05T00:00:00Z');
          return {
            days: days
              .filter(({ day }) => day >= from && day < until)
              .map((one) => ({ ...one, final: final && one.day < '2026-11-01' })),
            requests: 1,
          };
        },
      },
    });
    const unused = undefined as never;
    const operator = { ...ports, audit: unused, schedules: unused, logs: unused, close: async () => {} };
    const control = createOperatorApi(operator, { id: 'root', via: 'process' });
    return {
      record: createRecordBill(ports),
      run: (...args: string[]) => epsilon(control, ...args),
      kept,
      counted,
      asked,
      clock,
    };
  }

  it('bill is asked for once a day, and a month that is closed never again', async () => {
    const { record, asked, clock, kept } = opened('2026-11-04T09:00:00Z');
    await record({});
    await record({});
    expect(asked).toEqual(['2026-10-01 2026-11-05']);
    await clock.advance(86_400_000);
    await record({});
    await clock.advance(86_400_000);
    await record({});
    expect(asked.slice(1)).toEqual(['2026-10-01 2026-11-06', '2026-11-01 2026-11-07']);
    expect(
      JSON.parse(kept.get('s3://embeddings-saas-data-dev/cost/billed/2026-11.json') ?? ''),
    ).toMatchObject({
      requests: 3,
    });
  });

  it('bill of the account is not taken for that of an environment once it is asked for by tag', async () => {
    const before = opened('2026-11-04T09:00:00Z');
    await before.record({});
    const { record, asked, kept, run } = opened('2026-11-04T09:00:00Z', 'tagged');
    for (const [uri, text] of before.kept) kept.set(uri, text);
    expect((await before.run('cost', 'bill')).out).toContain('bill of the whole account');
    await record({});
    expect(asked).toEqual(['2026-10-01 2026-11-05']);
    expect((await run('cost', 'bill')).out).toContain('tagged epsilon:environment = dev');
  });

  it('gap and old prices are counted for people', async () => {
    const { record, counted, run } = opened('2026-11-20T09:00:00Z');
    await record({});
    expect(counted).toEqual(['PricesOld']);
    expect((await run('cost', 'bill')).out).toContain('note: prices of instances are 324 days old');
    const fresh = opened('2026-03-31T09:00:00Z');
    await fresh.record({});
    expect(fresh.counted).toEqual([]);
  });

  it('bill is shown with its parts, what a call costs, and what the month will cost', async () => {
    const { record, run } = opened('2026-11-20T09:00:00Z');
    expect((await run('cost', 'bill')).err).toContain('error BILL_UNKNOWN: ');
    await record({});
    const { out } = await run('cost', 'bill', '--requests', '1000000', '--budget', '100');
    expect(out).toContain('asking for it cost $0.0100 (1 requests)');
    expect(out).toMatch(/2026-11-17\s+\S+\s+settled/);
    expect(out).toMatch(/2026-11-18\s+\S+\s+grows/);
    expect(out).toContain('Explained but for 0.0 %.');
    expect(out).toContain('below $0.001000');
    expect(out).toContain('above the budget of $100.00');
    expect((await run('cost', 'bill', '--json')).json()).toMatchObject({ kind: 'billed', month: '2026-11' });
  });

  it.each([[['--month', '2026-13']], [['--month', 'soon']], [['--requests', '0']], [['--budget', 'much']]])(
    'bill with %j is refused',
    async (args) => {
      const ran = await opened('2026-11-20T09:00:00Z').run('cost', 'bill', ...args);
      expect(ran).toMatchObject({ code: 2, out: '' });
      expect(ran.err).toContain('error USAGE: ');
    },
  );

  it('month that is no bill is refused by its place', async () => {
    const { run, kept } = opened('2026-11-20T09:00:00Z');
    kept.set('s3://embeddings-saas-data-dev/cost/billed/2026-11.json', '{"days":"many"}');
    expect((await run('cost', 'bill')).err).toContain('error BILL_INVALID: ');
  });
});
