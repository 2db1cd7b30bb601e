import type { Metric } from '../follow.ts';
import { countScale, shareScale } from '../metrics.ts';
import type { DatasetContract } from './contract.ts';
import type { DatasetProfile } from './profile.ts';

/** Fields whose numbers are followed, at most: what is learnt of each has to be kept. */
const mostFields = 8;

/** What is judged of one partition. */
export interface PartitionLook {
  readonly profile: DatasetProfile;
  /** Hours from its end until its newest file arrived; null where that says nothing. */
  readonly lateHours: number | null;
}

type Number = Metric<PartitionLook>;

const short = (number: number) => String(Number(number.toPrecision(4)));

/** Values of either sign that vary by factors: the inverse hyperbolic sine, which is linear about 0 and a logarithm far from it. */
const signedScale = { back: Math.sinh, show: short };

function ofField(
  name: string,
  noun: string,
  read: (look: PartitionLook) => number | null | undefined,
): Number {
  return {
    name,
    noun,
    weekly: false,
    ...signedScale,
    read: (look) => {
      const found = read(look);
      return found === null || found === undefined ? undefined : { value: Math.asinh(found), sampling: 0 };
    },
  };
}

const fieldOf = ({ profile }: PartitionLook, name: string) =>
  profile.fields.find((field) => field.name === name);

function nullsOf(name: string): Number {
  return {
    name: `nulls ${name}`,
    noun: `rows without ${JSON.stringify(name)}`,
    weekly: false,
    ...shareScale,
    read: (look) => {
      const { rows, broken } = look.profile;
      const field = fieldOf(look, name);
      const whole = rows - broken;
      if (!field || whole <= 0) return undefined;
      const value = Math.asin(Math.sqrt(Math.min(1, field.nulls / whole)));
      return { value, sampling: 1 / (2 * Math.sqrt(whole)) };
    },
  };
}

/** Every number of a partition that is followed, by its contract. */
export function numbersOf({ fields, partitioning }: DatasetContract): Number[] {
  const weekly = partitioning === 'hour';
  const followed = fields.slice(0, mostFields);
  const numeric = followed.filter(({ type }) => type === 'integer' || type === 'number');
  return [
    {
      name: 'rows',
      noun: 'rows',
      weekly,
      ...countScale,
      read: ({ profile: { rows, sampled } }) =>
        sampled ? undefined : { value: Math.log1p(rows), sampling: 1 / Math.sqrt(rows + 1) },
    },
    {
      name: 'bytes',
      noun: 'bytes',
      weekly,
      ...countScale,
      read: ({ profile: { bytes } }) => ({ value: Math.log1p(bytes), sampling: 0 }),
    },
    {
      name: 'lateness',
      noun: 'hours late',
      weekly: false,
      back: Math.sinh,
      show: (hours) => hours.toFixed(1),
      read: ({ lateHours }) =>
        lateHours === null ? undefined : { value: Math.asinh(lateHours), sampling: 0.05 },
    },
    ...followed.map(({ name }) => nullsOf(name)),
    ...numeric.flatMap(({ name }) => [
      ofField(`mean ${name}`, `as mean of ${JSON.stringify(name)}`, (look) => fieldOf(look, name)?.mean),
      ofField(
        `median ${name}`,
        `as median of ${JSON.stringify(name)}`,
        (look) => fieldOf(look, name)?.quantiles?.[1],
      ),
      ofField(
        `high ${name}`,
        `as 95 % quantile of ${JSON.stringify(name)}`,
        (look) => fieldOf(look, name)?.quantiles?.[2],
      ),
    ]),
  ];
}
