import type { Metric } from './follow.ts';
import { type Profile, shareOf } from './profile.ts';

/** Names of the numbers that are followed. */
export const metricNames = ['documents', 'bytes', 'unreadable', 'empty', 'duplicates', 'meanLength'] as const;

/** One of them. */
export type MetricName = (typeof metricNames)[number];

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Scale of counts and sizes: they vary by factors. */
export const countScale = {
  back: (value: number) => Math.max(0, Math.expm1(value)),
  show: (number: number) => whole.format(number),
};

/** Scale of shares: the arcsine of the root varies by the number of draws alone, whatever the share. */
export const shareScale = {
  back: (value: number) => Math.sin(Math.min(Math.PI / 2, Math.max(0, value))) ** 2,
  show: (number: number) => `${(100 * number).toFixed(1)} %`,
};

/** Counts vary by factors: logarithms. A count's own variation is that of a Poisson variable. */
function counted(
  name: MetricName,
  noun: string,
  of: (profile: Profile) => number,
  sampled: boolean,
): Metric<Profile, MetricName> {
  const read = (profile: Profile) => {
    const counted = of(profile);
    return { value: Math.log1p(counted), sampling: sampled ? 1 / Math.sqrt(counted + 1) : 0 };
  };
  return { name, noun, weekly: true, read, ...countScale };
}

/** Shares: the arcsine of the root varies by the number of documents alone, whatever the share. */
function shared(
  name: MetricName,
  noun: string,
  of: (profile: Profile) => number,
): Metric<Profile, MetricName> {
  return {
    name,
    noun,
    weekly: false,
    read: (profile) =>
      profile.found === 0
        ? undefined
        : {
            value: Math.asin(Math.sqrt(Math.min(1, shareOf(of(profile), profile)))),
            sampling: 1 / (2 * Math.sqrt(profile.found)),
          },
    ...shareScale,
  };
}

/** Every number that is followed. */
export const metrics: readonly Metric<Profile, MetricName>[] = [
  counted('documents', 'documents', ({ used }) => used, true),
  counted('bytes', 'bytes', ({ bytes }) => bytes, false),
  shared('unreadable', 'unreadable documents', ({ unreadable }) => unreadable),
  shared('empty', 'empty documents', ({ empty }) => empty),
  shared('duplicates', 'documents that repeat another', ({ duplicates }) => duplicates),
  {
    name: 'meanLength',
    noun: 'characters a document',
    weekly: false,
    read: ({ meanLength, lengthDeviation, used }) =>
      meanLength === null || meanLength <= 0
        ? undefined
        : {
            value: Math.log1p(meanLength),
            sampling: lengthDeviation / (meanLength + 1) / Math.sqrt(Math.max(1, used)),
          },
    ...countScale,
  },
];
