import { EpsilonError } from '../lib/errors/epsilon-error.ts';

const grouped = new Intl.NumberFormat('en-US');

/** An option's whole number from 1 to `most`; `USAGE` naming the option for anything else. */
export function wholeNumber(option: string, text: string, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new EpsilonError(
    'USAGE',
    `${option} ${text} is not a whole number from 1 to ${grouped.format(most)}.`,
  );
}
