import { type Profile, shareOf } from './profile.ts';

/** A number of a profile that is followed over time. */
export interface Metric {
  readonly name: MetricName;
  /** The number on the scale that the detector works on, and what counting alone makes it vary there; undefined without a number. */
  readonly read: (profile: Profile) => { readonly value: number; readonly sampling: number } | undefined;
  /** Back from that scale to the number itself: a count, a length, a share from 0 to 1. */
  readonly back: (value: number) => number;
  /** The number itself as people read it. */
  readonly show: (number: number) => string;
  readonly noun: string;
  /** It follows people's week closely: what is particular to each hour of the week is kept. */
  readonly weekly: boolean;
}

/** Names of the numbers that are followed. */
export const metricNames = ['documents', 'bytes', 'unreadable', 'empty', 'duplicates', 'meanLength'] as const;

/** One of them. */
export type MetricName = (typeof metricNames)[number];

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

const count = {
  back: (value: number) => Math.max(0, Math.expm1(value)),
  show: (number: number) => whole.format(number),
};

const share = {
  back: (value: number) => Math.sin(Math.min(Math.PI / 2, Math.max(0, value))) ** 2,
  show: (number: number) => `${(100 * number).toFixed(1)} %`,
};

/** Counts vary by factors: logarithms. A count's own variation is that of a Poisson variable. */
function counted(name: MetricName, noun: string, of: (profile: Profile) => number, sampled: boolean): Metric {
  const read = (profile: Profile) => {
    const counted = of(profile);
    return { value: Math.log1p(counted), sampling: sampled ? 1 / Math.sqrt(counted + 1) : 0 };
  };
  return { name, noun, weekly: true, read, ...count };
}

/** Shares: the arcsine of the root varies by the number of documents alone, whatever the share. */
function shared(name: MetricName, noun: string, of: (profile: Profile) => number): Metric {
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
    ...share,
  };
}

/** Every number that is followed. */
export const metrics: readonly Metric[] = [
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
    ...count,
  },
];
