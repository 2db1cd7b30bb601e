import { Cron } from 'croner';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

/** When a schedule falls due. */
export interface Occurrences {
  /** The first occurrence after an instant; undefined when there is none. */
  next(after: Date): Date | undefined;
  /** The last occurrence at or before an instant; undefined when there is none. */
  previous(before: Date): Date | undefined;
}

function invalid(expression: string, message: string, example: string): EpsilonError {
  return new EpsilonError(
    'SCHEDULE_INVALID',
    `Schedule ${JSON.stringify(expression)}: ${message}, as in ${example}.`,
    {
      details: { expression, example },
    },
  );
}

/** Throws `TIMEZONE_UNKNOWN` unless the name is in the IANA database this Node carries. */
export function checkTimezone(timezone: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
    if (timezone === 'UTC' || timezone.includes('/')) return timezone;
  } catch {
    // Falls through to the one message.
  }
  throw new EpsilonError(
    'TIMEZONE_UNKNOWN',
    `Time zone ${JSON.stringify(timezone)} is not an IANA name such as "Europe/Berlin" or "UTC".`,
  );
}

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

function parseRate(expression: string): Occurrences {
  const [, count = '', unit = '', plural = ''] =
    /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(expression) ?? [];
  const every = Number(count);
  if (unit === '' || every < 1)
    throw invalid(
      expression,
      'a rate has a positive whole number and minute(s), hour(s) or day(s)',
      'rate(5 minutes)',
    );
  if ((every === 1) !== (plural === '')) {
    throw invalid(
      expression,
      'the unit is singular for 1 and plural otherwise',
      `rate(${every} ${unit}${every === 1 ? '' : 's'})`,
    );
  }
  const step = every * (unitMs[unit] ?? 0);
  // Occurrences are counted from the epoch, so that every restart sees the same ones.
  return {
    next: (after) => new Date((Math.floor(after.getTime() / step) + 1) * step),
    previous: (before) => new Date(Math.floor(before.getTime() / step) * step),
  };
}

function parseAt(expression: string, timezone: string): Occurrences {
  const [, text = ''] = /^at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)$/.exec(expression) ?? [];
  if (text === '') throw invalid(expression, 'an instant is written without zone', 'at(2026-11-24T02:00:00)');
  const due = instantOf(text, timezone);
  if (!due) throw invalid(expression, 'that instant does not exist', 'at(2026-11-24T02:00:00)');
  return {
    next: (after) => (due > after ? due : undefined),
    previous: (before) => (due <= before ? due : undefined),
  };
}

function instantOf(text: string, timezone: string): Date | undefined {
  try {
    return new Cron(text, { timezone, paused: true }).nextRun(new Date(0)) ?? undefined;
  } catch {
    return undefined;
  }
}

const fieldNames = ['minutes', 'hours', 'day of month', 'month', 'day of week', 'year'] as const;
const example = 'cron(0 2 * * ? *)';

/** Ranges of the fields as EventBridge has them. */
const bounds: readonly (readonly [number, number])[] = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [1, 7],
  [1970, 2199],
];

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const days = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

function numberIn(text: string, index: number, expression: string): number {
  const names = index === 3 ? months : index === 4 ? days : [];
  const named = names.indexOf(text.toUpperCase());
  const value = named >= 0 ? named + 1 : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  const [low, high] = bounds[index] ?? [0, 0];
  if (value >= low && value <= high) return value;
  throw invalid(
    expression,
    `${JSON.stringify(text)} is not a ${fieldNames[index]} (${low}-${high})`,
    example,
  );
}

/** One list item of a field in the form croner reads: names to numbers, `a/b` to `a-max/b`, days of the week from 0. */
function translateItem(item: string, index: number, expression: string): string {
  const shift = index === 4 ? -1 : 0;
  const number = (text: string) => numberIn(text, index, expression) + shift;
  const special =
    index === 2
      ? /^(L|LW|\d{1,2}W)$/
      : index === 4
        ? /^(L|[1-7]L|[1-7]#[1-5]|(?:SUN|MON|TUE|WED|THU|FRI|SAT)(?:L|#[1-5]))$/i
        : undefined;
  if (special?.test(item)) return translateSpecial(item.toUpperCase(), index, number);
  const [range = '', step, ...more] = item.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) {
    throw invalid(
      expression,
      `${JSON.stringify(item)} is not a step of ${fieldNames[index]}`,
      'cron(0/15 * * * ? *)',
    );
  }
  const [, high] = bounds[index] ?? [0, 0];
  const every = step === undefined ? '' : `/${step}`;
  if (range === '*') return `*${every}`;
  const [from = '', to, ...rest] = range.split('-');
  if (rest.length > 0)
    throw invalid(expression, `${JSON.stringify(item)} is not a range of ${fieldNames[index]}`, example);
  if (to === undefined)
    return step === undefined ? String(number(from)) : `${number(from)}-${high + shift}${every}`;
  return `${number(from)}-${number(to)}${every}`;
}

function translateSpecial(item: string, index: number, number: (text: string) => number): string {
  if (index === 2) return item === 'LW' ? 'LW' : item;
  if (item === 'L') return '6';
  const [, day = '', rest = ''] = /^([A-Z]{3}|\d)(L|#\d)$/.exec(item) ?? [];
  return `${number(day)}${rest === 'L' ? '#L' : rest}`;
}

function parseCron(expression: string, timezone: string): Occurrences {
  const body = /^cron\((.*)\)$/.exec(expression)?.[1]?.trim() ?? '';
  const fields = body.split(/\s+/);
  if (fields.length !== 6) {
    throw invalid(
      expression,
      `a cron expression has 6 fields (${fieldNames.join(', ')}), not ${body === '' ? 0 : fields.length}`,
      example,
    );
  }
  const [, , dayOfMonth, , dayOfWeek] = fields;
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw invalid(expression, 'exactly one of day of month and day of week is "?"', example);
  }
  const translated = fields.map((field, index) => {
    if (field === '?') return '*';
    return field
      .split(',')
      .map((item) => translateItem(item, index, expression))
      .join(',');
  });
  // croner: seconds first, year last.
  const cron = new Cron(`0 ${translated.join(' ')}`, {
    timezone,
    paused: true,
    mode: '7-part',
    domAndDow: true,
  });
  return {
    // A time that the clocks skip in spring is skipped, as the service does; the library would move it forward.
    next: (after) => {
      let due = cron.nextRun(after);
      while (due && !cron.match(due)) due = cron.nextRun(due);
      return due ?? undefined;
    },
    previous: (before) =>
      cron.previousRuns(3, new Date(before.getTime() + 1_000)).find((due) => cron.match(due)),
  };
}

/** Reads `cron(...)`, `rate(...)` or `at(...)`; throws `SCHEDULE_INVALID` with a corrected example, or `TIMEZONE_UNKNOWN`. */
export function parseSchedule(expression: string, timezone = 'UTC'): Occurrences {
  const zone = checkTimezone(timezone);
  if (expression.startsWith('rate(')) return parseRate(expression);
  if (expression.startsWith('at(')) return parseAt(expression, zone);
  if (expression.startsWith('cron(')) return parseCron(expression, zone);
  throw invalid(expression, 'it begins with cron(, rate( or at(', example);
}
