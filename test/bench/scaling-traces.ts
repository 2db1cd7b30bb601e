import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readingsOf } from '../../lib/scaling/metrics-file.ts';

/** Demand by the minute, in replicas at 100 % of their request. */
export interface Trace {
  readonly name: string;
  readonly demand: Float64Array;
  /** Days at the end that are played; the days before are history. */
  readonly played: number;
}

const minutesOfDay = 1440;

/** Numbers from 0 to 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A load that rises at a fixed time of every working day. */
interface Ramp {
  readonly low: number;
  readonly high: number;
  /** Hours of the day. */
  readonly from: number;
  readonly until: number;
  /** Minutes that the rise takes, and by which it comes sooner or later. */
  readonly rise: number;
  readonly jitter: number;
  /** Part by which the load grows in a week. */
  readonly growth: number;
  /** Weekends are as quiet as nights. */
  readonly restDays?: boolean;
  /** An hour from 12:30 is quiet, and ends within the rise again. */
  readonly lunch?: boolean;
}

function ramps(days: number, seed: number, ramp: Ramp): Float64Array {
  const random = randomFrom(seed);
  const demand = new Float64Array(days * minutesOfDay);
  for (let day = 0; day < days; day += 1) {
    const high = ramp.high * (0.92 + 0.16 * random()) * (1 + (ramp.growth * day) / 7);
    const begin = ramp.from * 60 + Math.round((random() * 2 - 1) * ramp.jitter);
    for (let minute = 0; minute < minutesOfDay; minute += 1) {
      const up = Math.min(1, Math.max(0, (minute - begin) / ramp.rise));
      const down = Math.min(1, Math.max(0, (minute - ramp.until * 60) / 60));
      const rest = ramp.restDays && day % 7 >= 5;
      const lunch =
        ramp.lunch && minute >= 750 ? 1 - Math.min(1, Math.max(0, (minute - begin - 270) / ramp.rise)) : 0;
      const busy = rest ? 0 : up * (1 - down) * (1 - 0.8 * lunch);
      demand[day * minutesOfDay + minute] = (ramp.low + (high - ramp.low) * busy) * (0.95 + 0.1 * random());
    }
  }
  return demand;
}

/** Three times a day another service comes for half an hour. */
function visits(days: number, seed: number): Float64Array {
  const random = randomFrom(seed);
  const demand = new Float64Array(days * minutesOfDay);
  for (let day = 0; day < days; day += 1) {
    const visitors = [6, 12, 20].map((hour) => ({
      begin: hour * 60 + Math.round(random() * 2),
      minutes: 20 + random() * 10,
      load: 9 + 2 * random(),
    }));
    for (let minute = 0; minute < minutesOfDay; minute += 1) {
      const usual = 2 + Math.sin((minute / minutesOfDay) * 2 * Math.PI) / 2;
      const visitor = visitors.find(({ begin, minutes }) => minute >= begin && minute < begin + minutes);
      const load = visitor ? visitor.load * Math.min(1, (minute - visitor.begin + 1) / 2) : usual;
      demand[day * minutesOfDay + minute] = load * (0.95 + 0.1 * random());
    }
  }
  return demand;
}

/** Loads with rises at fixed hours that an HPA alone follows too late. */
export const generated: readonly Trace[] = [
  {
    name: 'working days from 9:00 and after lunch, within 2 minutes',
    demand: ramps(42, 1, {
      low: 1.5,
      high: 12,
      from: 9,
      until: 18,
      rise: 2,
      jitter: 2,
      growth: 0,
      restDays: true,
      lunch: true,
    }),
    played: 14,
  },
  {
    name: 'every day from 8:30, within 4 minutes, growing 3 % a week',
    demand: ramps(42, 2, { low: 2, high: 12, from: 8.5, until: 17, rise: 4, jitter: 3, growth: 0.03 }),
    played: 14,
  },
  { name: 'half an hour three times a day', demand: visits(42, 3), played: 14 },
];

/** Readings of a file by the minute, in a straight line from one to the next; the 999th of a thousand is `peak` replicas. */
function recorded(file: string, peak: number, days: number): Float64Array {
  const readings = readingsOf(readFileSync(file, 'utf8'), file);
  const from = readings[0]?.at ?? 0;
  const minutes = Math.floor(((readings.at(-1)?.at ?? 0) - from) / 60_000);
  let next = 0;
  const demand = Float64Array.from({ length: minutes }, (_, minute) => {
    const at = from + minute * 60_000;
    while ((readings[next + 1]?.at ?? Number.POSITIVE_INFINITY) <= at) next += 1;
    const before = readings[next] ?? { at, value: 0 };
    const after = readings[next + 1] ?? before;
    const part = after.at > before.at ? Math.min(1, (at - before.at) / (after.at - before.at)) : 0;
    return before.value + (after.value - before.value) * part;
  });
  const sorted = [...demand].sort((one, other) => one - other);
  const scale = peak / (sorted[Math.floor(demand.length * 0.999)] ?? 1);
  return demand.map((value) => value * scale).slice(-days * minutesOfDay);
}

/** Recorded loads of the Numenta Anomaly Benchmark's folder `data`, where it is. */
export function recordedTraces(folder: string | undefined): Trace[] | undefined {
  if (folder === undefined) return undefined;
  const elb = join(folder, 'realAWSCloudwatch', 'elb_request_count_8c0756.csv');
  const taxi = join(folder, 'realKnownCause', 'nyc_taxi.csv');
  if (!existsSync(elb) || !existsSync(taxi)) return undefined;
  return [
    { name: 'taxi trips, peak 12 replicas', demand: recorded(taxi, 12, 42), played: 14 },
    { name: 'requests to a load balancer, peak 2 replicas', demand: recorded(elb, 2, 14), played: 4 },
    { name: 'requests to a load balancer, peak 12 replicas', demand: recorded(elb, 12, 14), played: 4 },
  ];
}
