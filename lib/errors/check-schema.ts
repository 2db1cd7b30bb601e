import type { z } from 'zod';

/** What is wrong with a value that does not have the form of its schema. */
export interface SchemaFault {
  /** Keys from the value to the part at fault; empty when the value itself is. */
  readonly path: readonly string[];
  /** The key that the schema does not know; the path leads to the object that has it. */
  readonly unknownKey?: string;
  /** What is wrong, to be put behind the name of the part and before the full stop: `must be at most 100, is 101`. */
  readonly sentence: string;
}

/** A value that has the form of its schema, or what is wrong with it. */
export type Checked<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly fault: SchemaFault };

/** Names of types as people call them; the rest has its own name. */
const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  tuple: 'a list',
  null: 'null',
  date: 'a date',
};

/** Formats of text with an example or a name that needs no explanation. */
const formats: Readonly<Record<string, string>> = {
  datetime: 'a time such as 2026-11-26T02:00:00Z',
  date: 'a date such as 2026-11-26',
  time: 'a time of day such as 02:00:00',
  url: 'a URL',
  uuid: 'a UUID',
  ulid: 'a ULID',
  email: 'an e-mail address',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  cidrv4: 'an IPv4 network such as 10.0.0.0/16',
  json_string: 'JSON',
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'no finite number';
  if (typeof value === 'boolean') return String(value);
  return kinds[typeof value] ?? typeof value;
}

/** Number of characters or entries; undefined for what has none. */
function sizeOf(value: unknown): number | undefined {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  if (value instanceof Map || value instanceof Set) return value.size;
  return undefined;
}

type Raw = Parameters<z.core.$ZodErrorMap>[0];

/** What a bound counts: nothing for numbers, which are compared themselves. */
const counted: Readonly<Record<string, string>> = {
  string: 'characters',
  array: 'entries',
  set: 'entries',
  map: 'entries',
};

function boundSentence(
  bound: 'most' | 'least',
  { origin, limit, inclusive, exact }: { origin: string; limit: unknown; inclusive: boolean; exact: boolean },
  input: unknown,
): string {
  const unit = counted[origin];
  if (unit === undefined) {
    const is = typeof input === 'number' || typeof input === 'bigint' ? `, is ${input}` : '';
    const strict = bound === 'most' ? 'less than' : 'more than';
    return `must be ${inclusive ? `at ${bound}` : strict} ${String(limit)}${is}`;
  }
  const size = sizeOf(input);
  if (bound === 'least' && size === 0 && Number(limit) <= 1) return 'must not be empty';
  const words = Number(limit) === 1 ? unit.replace(/ies$/, 'y').replace(/s$/, '') : unit;
  return `must have ${exact ? 'exactly' : `at ${bound}`} ${String(limit)} ${words}${size === undefined ? '' : `, has ${size}`}`;
}

function formatSentence(issue: Extract<Raw, { readonly code: 'invalid_format' }>): string {
  const { format } = issue;
  const { prefix, suffix, includes, pattern } = issue as Readonly<Record<string, unknown>>;
  if (format === 'starts_with') return `must begin with ${JSON.stringify(prefix)}`;
  if (format === 'ends_with') return `must end with ${JSON.stringify(suffix)}`;
  if (format === 'includes') return `must contain ${JSON.stringify(includes)}`;
  if (format === 'regex') return `must have the form ${String(pattern)}`;
  return `must be ${formats[format] ?? `a valid ${format}`}`;
}

/** A value as a message shows it: whole when it is short, because a long one may be anything. */
function shown(value: unknown): string {
  return typeof value === 'string' && value.length <= 60 ? JSON.stringify(value) : kindOf(value);
}

function valueSentence(values: readonly unknown[], input: unknown): string {
  if (input === undefined) return 'is missing';
  const all = values.map((value) => JSON.stringify(value) ?? String(value));
  const choice = all.length === 1 ? all.join('') : `one of ${all.join(', ')}`;
  return `must be ${choice}, is ${shown(input)}`;
}

/** Sentences of the forms that a value could have had; each branch is named by its first fault. */
function unionSentence(errors: readonly (readonly { readonly message: string }[])[]): string {
  const sentences = [...new Set(errors.flatMap(([first]) => (first ? [first.message] : [])))];
  if (sentences.length === 0) return 'has none of the allowed forms';
  return sentences.length === 1
    ? sentences.join('')
    : `has none of the allowed forms (${sentences.join('; or ')})`;
}

function keySentence([first]: readonly { readonly message: string }[]): string {
  return first ? `is not allowed as a key: it ${first.message}` : 'is not allowed as a key';
}

function typeSentence(expected: string, input: unknown): string {
  if (expected === 'never') return 'is not allowed';
  if (input === undefined) return 'is missing';
  // Text that was to become a number, such as a variable that is not set.
  if (Number.isNaN(input)) return 'is missing or no number';
  return `must be ${kinds[expected] ?? expected}, is ${kindOf(input)}`;
}

/** What is wrong, in the words of this project; a schema's own words (`error`) are asked for first. */
function sentenceOf(issue: Raw): string {
  const { input } = issue;
  switch (issue.code) {
    case 'invalid_type':
      return typeSentence(String(issue.expected), input);
    case 'too_big':
      return boundSentence('most', boundOf(issue, issue.maximum), input);
    case 'too_small':
      return boundSentence('least', boundOf(issue, issue.minimum), input);
    case 'invalid_format':
      return formatSentence(issue);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}, is ${String(input)}`;
    case 'unrecognized_keys':
      return `has the unknown key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'invalid_value':
      return valueSentence(issue.values, input);
    case 'invalid_union':
      return unionSentence(issue.errors);
    case 'invalid_key':
      return keySentence(issue.issues);
    default:
      return 'is not allowed';
  }
}

function boundOf(
  issue: {
    readonly origin: string;
    readonly inclusive?: boolean | undefined;
    readonly exact?: boolean | undefined;
  },
  limit: unknown,
) {
  const { origin, inclusive = true, exact = false } = issue;
  return { origin, limit, inclusive, exact };
}

/**
 * Holds a value against its schema. This is the one place where a schema is asked: the validator's own words ("Too big:
 * expected number to be <=100") reach nobody. A misspelt key is reported before what it leaves missing.
 */
export function checkSchema<S extends z.ZodType>(schema: S, value: unknown): Checked<z.output<S>> {
  const parsed = schema.safeParse(value, { error: sentenceOf });
  if (parsed.success) return parsed;
  const { issues } = parsed.error;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const path = issue?.path.map(String) ?? [];
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const fault = { path, sentence: issue?.message ?? 'is not allowed' };
  return { success: false, fault: unknownKey === undefined ? fault : { ...fault, unknownKey } };
}
