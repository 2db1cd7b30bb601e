import { createHash } from 'node:crypto';
import { evaluationLimits, Stopped, stoppedBecause } from '../limits.ts';

/** An error as the library throws it: `code` and `message` go into the cause of the failure. */
function jsonataError(code: string, message: string): { code: string; message: string } {
  return { code, message };
}

function partition(list: readonly unknown[] | undefined, size: number | undefined): unknown {
  if (list === undefined || list.length === 0) return undefined;
  if (list[0] === null && list.length === 1)
    throw jsonataError('T0412', 'Argument 1 of function "partition" must be an array');
  if (size === undefined) return [[...list]];
  const width = Math.trunc(size);
  if (width < 0) throw jsonataError('D3137', 'Second argument must be zero or greater');
  if (width === 0) return undefined;
  return Array.from({ length: Math.ceil(list.length / width) }, (_, index) =>
    list.slice(index * width, (index + 1) * width),
  );
}

/** As on the service the result is a sequence of JSONata: one of a single number is that number. */
function range(first?: number, last?: number, step?: number): unknown {
  if (first === undefined || last === undefined || step === undefined) return undefined;
  const [from, to, by] = [Math.trunc(first), Math.trunc(last), Math.trunc(step)];
  if (by === 0 || (to - from) * by < 0) return undefined;
  const length = Math.floor((to - from) / by) + 1;
  if (length > evaluationLimits.rangeItems) throw new Stopped(stoppedBecause.memory);
  const made = Array.from({ length }, (_, index) => from + index * by);
  return Object.defineProperty(made, 'sequence', { value: true });
}

const hashes: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

function hash(text: string | undefined, algorithm: string | undefined): string | undefined {
  if (text === undefined || algorithm === undefined) return undefined;
  const name = Object.hasOwn(hashes, algorithm) ? hashes[algorithm] : undefined;
  if (!name) throw jsonataError('D3137', `Hash algorithm must be one of ${Object.keys(hashes).join(', ')}`);
  return createHash(name).update(text).digest('hex');
}

function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text, (_key, value: unknown) => {
      if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('a number is too large');
      return value;
    }) as unknown;
  } catch (error) {
    throw jsonataError('D3137', `Invalid JSON: ${(error as Error).message}`);
  }
}

/** Constants of the linear congruential generator of `java.util.Random`, which the service draws from. */
const [multiplier, increment, mask] = [0x5deece66dn, 0xbn, (1n << 48n) - 1n];

/** The first double of a generator with this seed: the same number as on the service. */
function seeded(seed: number): number {
  let state = (BigInt(Math.trunc(seed)) ^ multiplier) & mask;
  const next = (bits: bigint) => {
    state = (state * multiplier + increment) & mask;
    return state >> (48n - bits);
  };
  const high = next(26n) << 27n;
  return Number(high + next(27n)) / 2 ** 53;
}

/** Chance and time of one evaluation. */
export interface Chance {
  random(): number;
  /** A version 4 UUID. */
  uuid(): string;
}

/** Functions that Step Functions adds to JSONata, or has in another form, with their signatures. */
export function serviceFunctions(chance: Chance): readonly {
  readonly name: string;
  readonly signature: string;
  implementation(...args: never[]): unknown;
}[] {
  return [
    { name: 'partition', signature: '<an?:a>', implementation: partition },
    { name: 'range', signature: '<nnn?:a>', implementation: range },
    { name: 'hash', signature: '<ss?:s>', implementation: hash },
    { name: 'parse', signature: '<s?:x>', implementation: parse },
    {
      name: 'random',
      signature: '<n?:n>',
      implementation: (seed?: number) => (seed === undefined ? chance.random() : seeded(seed)),
    },
    { name: 'uuid', signature: '<:s>', implementation: () => chance.uuid() },
  ];
}
