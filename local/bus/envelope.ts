import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

/** An event on the bus, in EventBridge's envelope. */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly account: string;
  readonly region: string;
  readonly time: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** An entry of PutEvents. */
export interface EventEntry {
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
  readonly resources?: readonly string[];
  /** ISO instant; now when absent. */
  readonly time?: string;
}

/** Events beyond this many bytes are refused, as on the service. */
export const largestEvent = 262_144;

/** Nesting beyond this is refused before anything walks it by recursion. */
const deepest = 200;

/** Bytes EventBridge counts for a time. */
const timeBytes = 14;

function malformed(pointer: string, message: string): EpsilonError {
  return new EpsilonError('EVENT_SCHEMA', `Event at ${pointer || '/'}: ${message}.`, {
    details: { pointer },
  });
}

function tooLarge(message: string): EpsilonError {
  return new EpsilonError('EVENT_TOO_LARGE', `Event: ${message}.`, { details: { limit: largestEvent } });
}

const pointerTo = (parent: string, key: string) =>
  `${parent}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`;

/** Walks without recursion, and stops at the size limit: refusing costs no more than the limit. */
function checkDetail(detail: object): void {
  const open: { readonly value: object; readonly pointer: string; readonly depth: number }[] = [
    { value: detail, pointer: '/detail', depth: 1 },
  ];
  let size = 0;
  for (let here = open.pop(); here; here = open.pop()) {
    if (here.depth > deepest) throw tooLarge(`it is nested deeper than ${deepest} levels`);
    for (const [key, value] of Object.entries(here.value) as [string, unknown][]) {
      const pointer = pointerTo(here.pointer, key);
      if (key === '__proto__') throw malformed(pointer, 'this key is not allowed');
      size += key.length + (typeof value === 'string' ? value.length : 1);
      if (size > largestEvent) throw tooLarge(`it is larger than ${largestEvent} bytes`);
      if (typeof value === 'object' && value !== null) open.push({ value, pointer, depth: here.depth + 1 });
      else checkLeaf(value, pointer);
    }
  }
}

function checkLeaf(value: unknown, pointer: string): void {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw malformed(pointer, `${value} is not a number of JSON`);
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol')
    throw malformed(pointer, `a ${typeof value} is not JSON`);
}

function checkText(value: unknown, pointer: string): void {
  if (typeof value !== 'string' || value === '') throw malformed(pointer, 'it must be a non-empty string');
}

/** Throws `EVENT_SCHEMA` with a JSON pointer, or `EVENT_TOO_LARGE`, unless the entry is an event EventBridge would take. */
export function checkEntry(entry: EventEntry): void {
  if (typeof entry !== 'object' || entry === null) throw malformed('', 'it must be an object');
  checkText(entry.source, '/source');
  checkText(entry.detailType, '/detail-type');
  const { detail, resources = [], time } = entry;
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail))
    throw malformed('/detail', 'it must be an object');
  if (!Array.isArray(resources)) throw malformed('/resources', 'it must be a list');
  for (const [index, each] of resources.entries()) checkText(each, `/resources/${index}`);
  if (time !== undefined && (typeof time !== 'string' || Number.isNaN(Date.parse(time))))
    throw malformed('/time', 'it must be an instant');
  checkDetail(detail);
  const texts = [entry.source, entry.detailType, JSON.stringify(detail), ...resources];
  const bytes = texts.reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    time === undefined ? 0 : timeBytes,
  );
  if (bytes > largestEvent) throw tooLarge(`it has ${bytes} bytes, more than ${largestEvent}`);
}
