import type { DatasetContract, FieldType } from './contract.ts';

/** Bytes of one line of text at most: longer ones are no rows but a fault of the file (its reader takes 16 times as much memory). */
const longestLine = 1_048_576;

const sqlTypes: Readonly<Record<FieldType, string>> = {
  string: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
};

/** A name of anybody as an identifier of SQL. */
const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text of anybody as a literal of SQL. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const list = (files: readonly string[]) => `[${files.map(literal).join(', ')}]`;

/** A member of a line of JSON, as text; null when it is absent, null, or the line is broken. */
const member = (name: string) =>
  `json_extract_string(line, ${literal(`$."${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)})`;

/** Files that have the same columns in the same order. */
export interface AlikeFiles {
  readonly files: readonly string[];
  readonly columns: ReadonlySet<string>;
  /** Of Parquet: the rows that are read, from the first to the last of each, both included; all where it is absent. */
  readonly ranges?: readonly (readonly [number, number])[] | undefined;
}

/** Rows by their number: row groups without any of them are not read. */
function within(ranges: NonNullable<AlikeFiles['ranges']>): string {
  const each = ranges.map(([first, last]) => `file_row_number BETWEEN ${first} AND ${last}`);
  return each.length === 0 ? 'false' : each.join(' OR ');
}

function rowsOfAlike(
  { format, fields, delimiter = ',' }: DatasetContract,
  { files, columns, ranges }: AlikeFiles,
): string {
  const column = (name: string) => {
    if (!columns.has(name)) return `NULL::VARCHAR AS ${identifier(name)}`;
    return format === 'jsonl' ? `${member(name)} AS ${identifier(name)}` : identifier(name);
  };
  const selected = (broken: string, from: string) =>
    `SELECT ${['"file of the row"', `${broken} AS "row is broken"`, ...fields.map(({ name }) => column(name))].join(', ')} FROM ${from}`;
  switch (format) {
    case 'parquet':
      return selected(
        'false',
        ranges === undefined
          ? `read_parquet(${list(files)}, filename = 'file of the row')`
          : `read_parquet(${list(files)}, filename = 'file of the row', file_row_number = true) WHERE ${within(ranges)}`,
      );
    case 'csv':
      return selected(
        'false',
        `read_csv(${list(files)}, ${csvOptions(delimiter)}, filename = 'file of the row', store_rejects = true, rejects_limit = 0)`,
      );
    case 'jsonl':
      return selected(
        'line IS NULL',
        `(SELECT "file of the row", CASE WHEN json_valid(text) AND json_type(text) = 'OBJECT' THEN text END AS line FROM read_csv(${list(files)}, columns = {'text': 'VARCHAR'}, auto_detect = false, delim = '\u0001', quote = '', escape = '', header = false, filename = 'file of the row', max_line_size = ${longestLine}) WHERE text IS NOT NULL)`,
      );
  }
}

const csvOptions = (delimiter: string) =>
  `delim = ${literal(delimiter)}, quote = '"', escape = '"', header = true, all_varchar = true, max_line_size = ${longestLine}`;

/**
 * Rows of files with the contract's fields, whatever the format: `file of the row`, `row is broken`, and the fields; those that a file
 * does not have are null.
 */
export function rowsOf(contract: DatasetContract, alike: readonly AlikeFiles[]): string {
  return alike.map((each) => rowsOfAlike(contract, each)).join(' UNION ALL ');
}

const typed = (name: string, type: FieldType) => `TRY_CAST(${identifier(name)} AS ${sqlTypes[type]})`;

/**
 * The newest time in milliseconds. A text may have an offset, which a plain timestamp leaves out, and is UTC without one; times that are stored
 * as such are UTC, and reading them as if they had an offset takes forty times as long.
 */
const newestOf = (own: string) =>
  `max(CASE WHEN typeof(${own}) = 'VARCHAR' THEN epoch_ms(TRY_CAST(${own} AS TIMESTAMPTZ)) ELSE epoch_ms(TRY_CAST(${own} AS TIMESTAMP)) END)`;

/** One row with everything that is counted in one reading of `rows`; columns are numbered by the contract's fields. */
export function summaryOf({ fields, eventTime }: DatasetContract, rows: string): string {
  const parts = fields.flatMap(({ name, type }, index) => {
    const own = identifier(name);
    return [
      `count(*) FILTER (NOT "row is broken" AND ${own} IS NULL) AS nulls${index}`,
      ...(type === 'string'
        ? []
        : [`count(*) FILTER (${own} IS NOT NULL AND ${typed(name, type)} IS NULL) AS errors${index}`]),
      ...(type === 'number' || type === 'integer'
        ? [
            `avg(${typed(name, type)}) AS mean${index}`,
            `approx_quantile(${typed(name, type)}::DOUBLE, [0.05, 0.5, 0.95]) AS quantiles${index}`,
          ]
        : []),
    ];
  });
  const newest = eventTime === undefined ? [] : [`${newestOf(identifier(eventTime))} AS newest`];
  return `SELECT ${['count(*) AS total', 'count(*) FILTER ("row is broken") AS broken', ...parts, ...newest].join(', ')} FROM (${rows})`;
}

/** Rows that repeat the key of another: candidates by a hash of 64 bits, then compared exactly. Rows without a key are no repetition. */
export function duplicatesOf({ keys }: DatasetContract, rows: string): string {
  const key = keys.map(identifier).join(', ');
  const whole = keys.map((name) => `${identifier(name)} IS NOT NULL`).join(' AND ');
  const hashes = `SELECT hash(${key}) AS h FROM (${rows}) WHERE ${whole} GROUP BY h HAVING count(*) > 1`;
  return `SELECT coalesce(sum(n - 1), 0)::BIGINT AS duplicates FROM (SELECT count(*) AS n FROM (${rows}) WHERE ${whole} AND hash(${key}) IN (${hashes}) GROUP BY ${key} HAVING count(*) > 1)`;
}

/** Whether there is any candidate for a repetition at all: the exact comparison, which keeps keys, is made only then. */
export function candidatesOf({ keys }: DatasetContract, rows: string): string {
  const key = keys.map(identifier).join(', ');
  const whole = keys.map((name) => `${identifier(name)} IS NOT NULL`).join(' AND ');
  return `SELECT count(*) AS candidates FROM (SELECT hash(${key}) AS h FROM (${rows}) WHERE ${whole} GROUP BY h HAVING count(*) > 1)`;
}

/** Characters of a category's value that are kept, and values that are told apart. */
const longestValue = 60;
const mostValues = 50;

/** Rows by the value of a category, the most frequent first; rows without one are none of it. */
export function valuesOf(field: string, rows: string): string {
  const value = `left(${identifier(field)}::VARCHAR, ${longestValue})`;
  const counted = `SELECT ${value} AS value, count(*) AS n FROM (${rows}) WHERE NOT "row is broken" AND ${identifier(field)} IS NOT NULL GROUP BY value`;
  const ranked = `SELECT value, n, row_number() OVER (ORDER BY n DESC, value) AS place FROM (${counted})`;
  return `SELECT CASE WHEN place <= ${mostValues} THEN value ELSE 'other values' END AS value, sum(n)::BIGINT AS total FROM (${ranked}) GROUP BY ALL`;
}

/** Row groups of a Parquet file, with rows, place and compressed bytes; its footer alone is read. */
export const groupsOf = (file: string): string =>
  `SELECT row_group_id AS id, any_value(row_group_num_rows) AS rows, min(least(data_page_offset, coalesce(nullif(dictionary_page_offset, 0), data_page_offset))) AS start, sum(total_compressed_size)::BIGINT AS bytes FROM parquet_metadata(${literal(file)}) GROUP BY id ORDER BY id`;

/** Rows by file. */
export const rowsByFile = (rows: string): string =>
  `SELECT "file of the row" AS file, count(*) AS total FROM (${rows}) GROUP BY file`;

/** Names of the columns of one file, in their order; undefined for lines of JSON, which have none. */
export function columnsOf({ format, delimiter = ',' }: DatasetContract, file: string): string | undefined {
  if (format === 'jsonl') return undefined;
  const from =
    format === 'parquet'
      ? `read_parquet(${literal(file)})`
      : `read_csv(${literal(file)}, ${csvOptions(delimiter)}, ignore_errors = true)`;
  return `SELECT column_name AS name FROM (DESCRIBE SELECT * FROM ${from})`;
}
