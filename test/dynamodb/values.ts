/** A value in DynamoDB's wire form. */
export type Wire =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly L: readonly Wire[] }
  | { readonly M: Readonly<Record<string, Wire>> };

/** An item in wire form. */
export type WireItem = Readonly<Record<string, Wire>>;

/** A request that DynamoDB would refuse as it stands. */
export class Invalid extends Error {
  override readonly name = 'ValidationException';
}

const deepest = 32;
const largestItem = 400 * 1024;
const digits = 38;

function checkNumber(text: string): void {
  const value = Number(text);
  const significant = text
    .replace(/e.*$/i, '')
    .replace(/[^0-9]/g, '')
    .replace(/^0+|0+$/g, '');
  if (!Number.isFinite(value) || significant.length > digits) throw new Invalid(`Number overflow: ${text}`);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-130 || size >= 1e126)) throw new Invalid(`Number out of range: ${text}`);
}

/** Bytes of a value; refuses what DynamoDB refuses (depth, numbers). */
function sizeOf(value: Wire, depth: number): number {
  if (depth > deepest) throw new Invalid('Nesting Levels have exceeded supported limits');
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('B' in value) return Buffer.from(value.B, 'base64').length;
  if ('N' in value) {
    checkNumber(value.N);
    return Math.ceil(value.N.length / 2) + 1;
  }
  if ('L' in value) return 3 + value.L.reduce((sum, one) => sum + 1 + sizeOf(one, depth + 1), 0);
  if ('M' in value)
    return (
      3 +
      Object.entries(value.M).reduce(
        (sum, [key, one]) => sum + 1 + Buffer.byteLength(key) + sizeOf(one, depth + 1),
        0,
      )
    );
  return 1;
}

/** Bytes of an item; throws when it is larger than an item may be. */
export function itemSize(item: WireItem): number {
  let size = 0;
  for (const [name, value] of Object.entries(item)) size += Buffer.byteLength(name) + sizeOf(value, 1);
  if (size > largestItem) throw new Invalid('Item size has exceeded the maximum allowed size');
  return size;
}

const typeOf = (value: Wire) => Object.keys(value)[0] ?? '';

/** Order of two values of one type, or undefined when they have none. */
export function compareWire(left: Wire, right: Wire): number | undefined {
  if (typeOf(left) !== typeOf(right)) return undefined;
  if ('S' in left && 'S' in right) return Buffer.compare(Buffer.from(left.S), Buffer.from(right.S));
  if ('N' in left && 'N' in right) return Math.sign(Number(left.N) - Number(right.N));
  if ('B' in left && 'B' in right)
    return Buffer.compare(Buffer.from(left.B, 'base64'), Buffer.from(right.B, 'base64'));
  return undefined;
}

/** Whether two values are the same; maps may have their keys in any order. */
export function equalWire(left: Wire, right: Wire): boolean {
  const order = compareWire(left, right);
  if (order !== undefined) return order === 0;
  const sorted = (_: string, value: unknown) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return JSON.stringify(left, sorted) === JSON.stringify(right, sorted);
}
