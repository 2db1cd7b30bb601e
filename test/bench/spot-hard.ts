import { readFiles } from '../../infra/pulumi/settings.ts';
import type { MarketSettings } from './spot-market.ts';
import { measure, usual } from './spot-measure.ts';

type Market = readonly [name: string, market: Partial<MarketSettings>];

/** A drought of so many hours, beginning at each hour of the night. */
const atAnyHour = (hours: number): Market[] =>
  [0, 1, 2, 3, 4].map((from) => [
    `a drought of ${hours} h from hour ${from}`,
    { droughts: [[from, from + hours]] },
  ]);

/** Markets that break things together. */
const markets: readonly Market[] = [
  ['5 % an hour', {}],
  ['the price moves by a tenth', { priceSwing: 0.1 }],
  ['a drought of 40 min', { droughts: [[1, 1.67]] }],
  ...atAnyHour(1),
  ...atAnyHour(3),
  ['a zone reclaimed at once', { storms: [{ at: 1, zone: 0 }] }],
  [
    'a zone reclaimed each hour, a drought of 40 min after each',
    {
      storms: [
        { at: 1, zone: 0 },
        { at: 2, zone: 1 },
        { at: 3, zone: 2 },
      ],
      droughts: [
        [1, 1.67],
        [2, 2.67],
        [3, 3.67],
      ],
    },
  ],
  [
    'a third reclaimed at once, then a drought of 40 min',
    { storms: [{ at: 1, share: 1 / 3 }], droughts: [[1, 1.67]] },
  ],
  ['all reclaimed at once, then a drought of 60 min', { storms: [{ at: 1, share: 1 }], droughts: [[1, 2]] }],
  [
    'all reclaimed twice',
    {
      storms: [
        { at: 1, share: 1 },
        { at: 3, share: 1 },
      ],
    },
  ],
  [
    'a drought of 3 h, and no on-demand for its second hour',
    { droughts: [[1, 4]], onDemandDroughts: [[2, 3]] },
  ],
  ['no spot from the first hour on', { droughts: [[1, 48]] }],
  ['no spot at all', { droughts: [[0, 48]] }],
];

/** Tenants of a night that fills an environment's queues for about three hours, as 400 do in production. */
const tenantsOf: Readonly<Record<string, number>> = { prod: 400, staging: 100, dev: 30 };

/** Every market in every environment's own queues, both backends; nodes are paid for whole. */
export function hardMarkets(): Record<string, unknown>[] {
  return Object.entries(tenantsOf).flatMap(([environment, tenants]) => {
    const { queueSize } = readFiles(environment).service;
    const queues = [
      ['batch', queueSize.batchSpotVcpus, queueSize.batchOnDemandVcpus],
      ['eks', queueSize.eksSpotVcpus, queueSize.eksOnDemandVcpus],
    ] as const;
    return queues.flatMap(([backend, spotVcpus, onDemandVcpus]) =>
      markets.map(([name, market]) => {
        const settings = { ...usual, perHour: 0.05, ...market };
        const found = measure({ name, market: settings, tenants, spotVcpus, onDemandVcpus, backend }, 3);
        return {
          market: name,
          environment,
          queue: `${backend} ${spotVcpus}/${onDemandVcpus}`,
          missed: found['deadlinesMissed'],
          missedNeedlessly: found['missedNeedlessly'],
          meanSaving: found['meanSaving'],
          worstAgainstClairvoyant: found['worstAgainstClairvoyant'],
          worstNodesAgainstClairvoyant: found['worstNodesAgainstClairvoyant'],
          longestNightHours: found['longestNightHours'],
          placementsGivenUp: found['placementsGivenUp'],
        };
      }),
    );
  });
}
