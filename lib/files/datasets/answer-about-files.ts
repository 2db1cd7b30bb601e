import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { DatasetContract } from '../../quality/datasets/contract.ts';
import {
  type AlikeFiles,
  candidatesOf,
  columnsOf,
  duplicatesOf,
  groupsOf,
  literal,
  rowsByFile,
  rowsOf,
  summaryOf,
  valuesOf,
} from '../../quality/datasets/queries.ts';

/** What is asked about files of a dataset: DuckDB reaches them and a temporary folder, and nothing else. */
export interface AskedAboutFiles {
  readonly contract: DatasetContract;
  readonly files: readonly string[];
  /** Folders that may be read and written. */
  readonly folders: readonly string[];
  readonly temporary: string;
  /** Of a file of Parquet: the rows that are read; all where it is absent. */
  readonly ranges?: AlikeFiles['ranges'];
  /** What row groups the file has is asked, and nothing else. */
  readonly groups?: true;
}

type Row = Readonly<Record<string, unknown>>;

/** DuckDB's own memory; a process takes about 150 MB more. */
const memoryLimit = '350MB';

async function open({ folders, temporary }: AskedAboutFiles): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: memoryLimit,
    temp_directory: temporary,
    threads: '2',
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`SET allowed_directories = [${folders.map(literal).join(', ')}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return connection;
}

async function ask(connection: DuckDBConnection, sql: string): Promise<readonly Row[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson() as readonly Row[];
}

/** What DuckDB says, without the line at fault, which is the tenant's, and without its own hints. */
function reasonOf(error: unknown): string {
  const [first = '', ...more] = (error as Error).message
    .split('\n')
    .filter((line) => !line.startsWith('Original Line'));
  const detail = more.find((line) => /size of|unicode|encod|quote|columns|bytes/i.test(line));
  const said = first.replace(/^(Invalid Input|IO|Conversion|Binder) Error: /, '');
  return `${said}${detail === undefined ? '' : `, ${detail}`}`.slice(0, 300);
}

interface Readable {
  readonly alike: AlikeFiles[];
  readonly unreadable: { readonly file: string; readonly why: string }[];
}

/** Names of a file's columns, or why it cannot be opened. */
async function namesOf(
  connection: DuckDBConnection,
  contract: DatasetContract,
  file: string,
): Promise<readonly string[] | { readonly why: string }> {
  const sql = columnsOf(contract, file);
  if (sql === undefined) return contract.fields.map(({ name }) => name);
  return ask(connection, sql).then(
    (rows) => rows.map(({ name }) => String(name)),
    (error: unknown) => ({ why: reasonOf(error) }),
  );
}

/** Which files can be opened at all; those with the same columns are read together. */
async function lookAtFiles(
  connection: DuckDBConnection,
  { contract, files, ranges }: AskedAboutFiles,
): Promise<Readable> {
  const byColumns = new Map<string, { files: string[]; columns: Set<string> }>();
  const unreadable: Readable['unreadable'] = [];
  for (const file of files) {
    const names = await namesOf(connection, contract, file);
    if ('why' in names) {
      unreadable.push({ file, why: names.why });
      continue;
    }
    const key = JSON.stringify(names);
    const alike = byColumns.get(key) ?? { files: [], columns: new Set(names) };
    alike.files.push(file);
    byColumns.set(key, alike);
  }
  return { alike: [...byColumns.values()].map((each) => ({ ...each, ranges })), unreadable };
}

/** The files of a group whose content can be read. */
async function wholeOf(
  connection: DuckDBConnection,
  contract: DatasetContract,
  { alike, unreadable }: Readable,
): Promise<AlikeFiles[]> {
  const kept: AlikeFiles[] = [];
  for (const { files, columns, ranges } of alike) {
    const whole: string[] = [];
    for (const file of files)
      try {
        await ask(connection, summaryOf(contract, rowsOf(contract, [{ files: [file], columns, ranges }])));
        whole.push(file);
      } catch (error) {
        unreadable.push({ file, why: reasonOf(error) });
      }
    if (whole.length > 0) kept.push({ files: whole, columns, ranges });
  }
  return kept;
}

/** The summary; files whose content breaks it are found one by one and left out. */
async function summarize(
  connection: DuckDBConnection,
  contract: DatasetContract,
  found: Readable,
): Promise<{ readonly summary: Row; readonly rows: string | undefined }> {
  const of = async (alike: readonly AlikeFiles[]) => {
    if (alike.length === 0) return { summary: {}, rows: undefined };
    const rows = rowsOf(contract, alike);
    return { summary: (await ask(connection, summaryOf(contract, rows)))[0] ?? {}, rows };
  };
  try {
    return await of(found.alike);
  } catch {
    return of(await wholeOf(connection, contract, found));
  }
}

/** Rows that the reader of CSV refused. */
async function rejected(connection: DuckDBConnection): Promise<number> {
  const [row] = await ask(
    connection,
    'SELECT count(*) AS n FROM (SELECT DISTINCT file_path, line FROM reject_errors JOIN reject_scans USING (scan_id, file_id))',
  ).catch(() => []);
  return Number(row?.['n'] ?? 0);
}

async function repeated(
  connection: DuckDBConnection,
  contract: DatasetContract,
  rows: string,
): Promise<number> {
  if (contract.keys.length === 0) return 0;
  const [first] = await ask(connection, candidatesOf(contract, rows));
  if (Number(first?.['candidates']) === 0) return 0;
  const [row] = await ask(connection, duplicatesOf(contract, rows));
  return Number(row?.['duplicates'] ?? 0);
}

async function categoriesOf(
  connection: DuckDBConnection,
  { fields }: DatasetContract,
  rows: string,
): Promise<Record<string, Record<string, number>>> {
  const found: Record<string, Record<string, number>> = {};
  for (const { name, category } of fields) {
    if (!category) continue;
    const values = await ask(connection, valuesOf(name, rows));
    found[name] = Object.fromEntries(values.map(({ value, total }) => [String(value), Number(total)]));
  }
  return found;
}

function fieldsOf({ fields }: DatasetContract, summary: Row) {
  const rows = Number(summary['total'] ?? 0) - Number(summary['broken'] ?? 0);
  return fields.map(({ name }, index) => {
    const nulls = Number(summary[`nulls${index}`] ?? 0);
    const quantiles = summary[`quantiles${index}`];
    const mean = summary[`mean${index}`];
    const finite = Array.isArray(quantiles) && quantiles.every((each) => Number.isFinite(each));
    return {
      name,
      missing: rows > 0 && nulls === rows,
      nulls,
      typeErrors: Number(summary[`errors${index}`] ?? 0),
      mean: typeof mean === 'number' && Number.isFinite(mean) ? mean : null,
      quantiles: finite ? quantiles : null,
    };
  });
}

async function profile(asked: AskedAboutFiles) {
  const { contract } = asked;
  const connection = await open(asked);
  const found = await lookAtFiles(connection, asked);
  const { summary, rows } = await summarize(connection, contract, found);
  const refused = contract.format === 'csv' ? await rejected(connection) : 0;
  const counted = rows !== undefined && contract.partitioning !== 'none';
  const byFile = counted ? await ask(connection, rowsByFile(rows)) : [];
  const newest = summary['newest'] ?? null;
  return {
    rows: Number(summary['total'] ?? 0) + refused,
    broken: Number(summary['broken'] ?? 0) + refused,
    fields: fieldsOf(contract, summary),
    newestEvent: newest === null ? null : new Date(Number(newest)).toISOString(),
    duplicates: rows === undefined ? 0 : await repeated(connection, contract, rows),
    categories: rows === undefined ? {} : await categoriesOf(connection, contract, rows),
    unreadable: found.unreadable,
    rowsByFile: Object.fromEntries(byFile.map(({ file, total }) => [String(file), Number(total)])),
  };
}

/** The row groups of the one file; none of what cannot be opened, which its profile then says. */
async function groups(asked: AskedAboutFiles) {
  const connection = await open(asked);
  const found = await ask(connection, groupsOf(asked.files[0] ?? '')).catch(() => []);
  return found.map(({ id, rows, start, bytes }) => ({
    id: Number(id),
    rows: Number(rows),
    start: Number(start),
    bytes: Number(bytes),
  }));
}

/** What was asked about files: a profile, or the row groups of one of them. Errors: DuckDB's own. */
export async function answerAboutFiles(asked: AskedAboutFiles): Promise<unknown> {
  return asked.groups ? groups(asked) : profile(asked);
}
