import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

/** `SCHEDULE_INVALID`: what is wrong, and an expression that would be right. */
export function scheduleInvalid(expression: string, message: string, example: string): EpsilonError {
  return new EpsilonError(
    'SCHEDULE_INVALID',
    `Schedule ${JSON.stringify(expression)}: ${message}, as in ${example}.`,
    { details: { expression, example } },
  );
}

interface Field {
  readonly name: string;
  /** Lowest and highest value EventBridge Scheduler allows. */
  readonly low: number;
  readonly high: number;
  /** What is added to a value for croner, whose Sunday is 0. */
  readonly shift: number;
  readonly names: readonly string[];
  /** Forms only this field has. */
  readonly special?: RegExp;
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const days = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const plain = { shift: 0, names: [] } as const;

const fields: readonly Field[] = [
  { ...plain, name: 'minutes', low: 0, high: 59 },
  { ...plain, name: 'hours', low: 0, high: 23 },
  { ...plain, name: 'day of month', low: 1, high: 31, special: /^(L|LW|([1-9]|[12]\d|3[01])W)$/ },
  { ...plain, name: 'month', low: 1, high: 12, names: months },
  {
    name: 'day of week',
    low: 1,
    high: 7,
    shift: -1,
    names: days,
    special: /^(L|(?:[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(?:L|#[1-5]))$/,
  },
  { ...plain, name: 'year', low: 1970, high: 2199 },
];

const example = 'cron(0 2 * * ? *)';

function numberIn(text: string, field: Field, expression: string): number {
  const named = field.names.indexOf(text.toUpperCase());
  const value = named >= 0 ? named + 1 : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= field.low && value <= field.high) return value + field.shift;
  throw scheduleInvalid(
    expression,
    `${JSON.stringify(text)} is not a ${field.name} (${field.low}-${field.high})`,
    example,
  );
}

function rangeOf(text: string, field: Field, open: boolean, expression: string): string {
  if (text === '*') return '*';
  const [from = '', to, ...rest] = text.split('-');
  const first = numberIn(from, field, expression);
  const high = field.high + field.shift;
  if (to === undefined) return open ? `${first}-${high}` : String(first);
  const last = numberIn(to, field, expression);
  if (rest.length === 0 && first <= last) return `${first}-${last}`;
  const [low, top] = [field.names[0] ?? field.low, field.names.at(-1) ?? field.high];
  throw scheduleInvalid(
    expression,
    `${JSON.stringify(text)} is not a range of ${field.name} (it rises; two ranges around the end are written ${from}-${top},${low}-${to})`,
    example,
  );
}

function translateItem(item: string, field: Field, expression: string): string {
  const upper = item.toUpperCase();
  if (field.special?.test(upper)) return translateSpecial(upper, field, expression);
  const [range = '', step, ...more] = item.split('/');
  const span = field.high - field.low + 1;
  if (more.length > 0 || (step !== undefined && !(/^[1-9]\d*$/.test(step) && Number(step) <= span))) {
    throw scheduleInvalid(
      expression,
      `${JSON.stringify(item)} is not a step of ${field.name} (1-${span})`,
      'cron(0/15 * * * ? *)',
    );
  }
  return `${rangeOf(range, field, step !== undefined, expression)}${step === undefined ? '' : `/${step}`}`;
}

function translateSpecial(item: string, field: Field, expression: string): string {
  if (field.name === 'day of month') return item;
  // A lone L is the last day of the week, Saturday.
  if (item === 'L') return '6';
  const [, day = '', rest = ''] = /^([A-Z]{3}|\d)(L|#\d)$/.exec(item) ?? [];
  return `${numberIn(day, field, expression)}${rest === 'L' ? '#L' : rest}`;
}

/**
 * EventBridge's six fields in the form croner reads (its seconds field in front): `?` to `*`, names to numbers,
 * `a/b` to `a-highest/b`, days of the week from 0, the last Friday `6L` to `5#L`. Throws `SCHEDULE_INVALID`.
 */
export function translateCron(expression: string): string {
  const body = /^cron\((.*)\)$/s.exec(expression)?.[1]?.trim() ?? '';
  const texts = body === '' ? [] : body.split(/\s+/);
  if (texts.length !== fields.length) {
    const corrected = texts.length === 5 ? correctedFive(texts) : example;
    throw scheduleInvalid(
      expression,
      `a cron expression has 6 fields (${fields.map(({ name }) => name).join(', ')}), not ${texts.length}`,
      corrected,
    );
  }
  const [minutes, hours, dayOfMonth, month, dayOfWeek, year] = texts;
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    // The field that says nothing is the one to give up.
    const [first, second] = dayOfWeek === '*' || dayOfWeek === '?' ? [dayOfMonth, '?'] : ['?', dayOfWeek];
    const corrected = `cron(${minutes} ${hours} ${first === '?' && second === '?' ? '*' : first} ${month} ${second} ${year})`;
    throw scheduleInvalid(expression, 'exactly one of day of month and day of week must be "?"', corrected);
  }
  const translated = fields.map((field, index) => {
    const text = texts[index] ?? '';
    if (text === '?' && field.special) return '*';
    return text
      .split(',')
      .map((item) => translateItem(item, field, expression))
      .join(',');
  });
  return `0 ${translated.join(' ')}`;
}

/** A Unix expression of five fields as EventBridge writes it, as far as days of the week are not numbers. */
function correctedFive([minutes, hours, dayOfMonth, month, dayOfWeek = '']: readonly string[]): string {
  if (dayOfWeek === '*') return `cron(${minutes} ${hours} ${dayOfMonth} ${month} ? *)`;
  // Unix counts Sunday as 0 (or 7), EventBridge as 1.
  const named = dayOfWeek.replace(/\b[0-7]\b/g, (day) => days[Number(day) % 7] ?? day);
  return `cron(${minutes} ${hours} ? ${month} ${named} *)`;
}
