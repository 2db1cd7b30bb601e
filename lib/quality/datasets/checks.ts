import type { Finding } from '../finding.ts';
import type { DatasetContract } from './contract.ts';
import { missingPartitions } from './partitions.ts';
import type { DatasetProfile } from './profile.ts';

const hour = 3_600_000;

/** Clocks of two hosts may differ by this much before it is told. */
const clockSkew = 5 * 60_000;

const percent = (share: number) => `${Number((share * 100).toPrecision(3))} %`;

/** A finding of completeness that closes the gate; `metric` is the number that it is about. */
export const critical = (code: string, sentence: string, metric?: string): Finding => ({
  check: 'completeness',
  code,
  ...(metric === undefined ? {} : { metric }),
  severity: 'critical',
  sentence,
});

/** The first few names, and how many more there are. */
function named(names: readonly string[]): string {
  const more = names.length - 5;
  return `${names.slice(0, 5).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function shared(
  part: number,
  {
    rows,
    most,
    code,
    what,
    metric,
  }: { rows: number; most: number; code: string; what: string; metric?: string },
): Finding[] {
  if (rows === 0 || part / rows <= most) return [];
  return [
    critical(code, `${part} of ${rows} rows (${percent(part / rows)}) ${what}, ${percent(most)} may`, metric),
  ];
}

function fieldFindings(
  profile: DatasetProfile,
  { maxNulls, maxTypeErrors, fields }: DatasetContract,
): Finding[] {
  const { rows } = profile;
  return profile.fields.flatMap(({ name, missing, nulls, typeErrors }) => {
    const shown = JSON.stringify(name);
    if (missing && maxNulls < 1) return [critical('FIELD_MISSING', `no row has the field ${shown}`)];
    const type = fields.find((field) => field.name === name)?.type ?? 'string';
    return [
      ...shared(nulls, {
        rows,
        most: maxNulls,
        code: 'NULLS',
        what: `have no ${shown}`,
        metric: `nulls ${name}`,
      }),
      ...shared(typeErrors, {
        rows,
        most: maxTypeErrors,
        code: 'TYPE_ERRORS',
        what: `hold another type than ${type} in ${shown}`,
      }),
    ];
  });
}

/** What a contract does not allow of rows and files, of one partition or of a dataset without any. */
export function checkRows(profile: DatasetProfile, contract: DatasetContract): Finding[] {
  const { rows, broken, duplicates, unreadable, sampled } = profile;
  const { minRows, maxBroken, maxDuplicates, keys } = contract;
  return [
    ...unreadable
      .slice(0, 5)
      .map(({ file, why }) => critical('UNREADABLE_FILE', `${JSON.stringify(file)} cannot be read: ${why}`)),
    ...(unreadable.length > 5
      ? [critical('UNREADABLE_FILE', `${unreadable.length - 5} more files cannot be read`)]
      : []),
    ...(rows < minRows && !sampled
      ? [critical('TOO_FEW_ROWS', `${rows} rows, at least ${minRows} are needed`, 'rows')]
      : []),
    ...shared(broken, { rows, most: maxBroken, code: 'BROKEN_ROWS', what: 'are broken' }),
    ...fieldFindings(profile, contract),
    ...shared(duplicates, {
      rows,
      most: maxDuplicates,
      code: 'DUPLICATE_KEYS',
      what: `repeat the key ${named(keys)} of another`,
    }),
  ];
}

/** Partitions that should be there and are not; `first` is the first that was ever seen, `now` in milliseconds. */
export function checkMissing(
  there: readonly string[],
  contract: DatasetContract,
  { first, now }: { readonly first: string | null; readonly now: number },
): Finding[] {
  const missing = missingPartitions(there, contract, { first, now });
  if (missing.length === 0) return [];
  return [critical('MISSING_PARTITIONS', `${missing.length} partitions are missing: ${named(missing)}`)];
}

/** Partitions with fewer rows than a contract asks for. */
function checkPartitionRows(
  { partitions, sampled }: DatasetProfile,
  { minRows }: DatasetContract,
): Finding[] {
  const few = Object.entries(partitions).filter(([, rows]) => rows < minRows && !sampled);
  if (few.length === 0) return [];
  const shown = named(few.map(([name, rows]) => `${name} (${rows})`));
  return [critical('TOO_FEW_ROWS', `fewer than ${minRows} rows are in ${shown}`)];
}

/** What is missing in a whole dataset by its contract; `now` in milliseconds. */
export function checkDatasetCompleteness(
  profile: DatasetProfile,
  contract: DatasetContract,
  now: number,
): Finding[] {
  const missing = checkMissing(Object.keys(profile.partitions), contract, { first: null, now });
  if (contract.partitioning === 'none') return checkRows(profile, contract);
  const byPartition = checkPartitionRows(profile, contract);
  return [...missing, ...byPartition, ...checkRows(profile, { ...contract, minRows: 0 })];
}

/** Whether a dataset is as young as its contract says; `now` in milliseconds. */
export function checkDatasetFreshness(
  { newestEvent, newestArrival }: Pick<DatasetProfile, 'newestEvent' | 'newestArrival'>,
  { eventTime, maxAgeHours }: DatasetContract,
  now: number,
): Finding[] {
  const what = eventTime === undefined ? 'file arrived' : 'row happened';
  const newest = eventTime === undefined ? newestArrival : newestEvent;
  const freshness = (code: string, severity: Finding['severity'], sentence: string): Finding[] => [
    { check: 'freshness', code, severity, sentence },
  ];
  if (newest === null)
    return eventTime === undefined || newestArrival === null
      ? []
      : freshness('NO_EVENT_TIME', 'critical', `no row has a time in ${JSON.stringify(eventTime)}`);
  const age = now - Date.parse(newest);
  if (age < -clockSkew)
    return freshness(
      'TIME_IN_FUTURE',
      'warning',
      `the newest ${what} at ${newest}, which is later than this check`,
    );
  if (maxAgeHours === undefined || age <= maxAgeHours * hour) return [];
  const hours = (age / hour).toFixed(1);
  return freshness(
    'STALE',
    'critical',
    `the newest ${what} ${hours} hours ago (${newest}), ${maxAgeHours} hours are allowed`,
  );
}
