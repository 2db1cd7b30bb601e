import { DuckDBInstance } from '@duckdb/node-api';

/** What somebody writes who wants the same numbers of the bench's rows once: no limit of memory, as many threads, one query each. */
const [file = ''] = process.argv.slice(2);
const database = await DuckDBInstance.create(':memory:', { threads: '2' });
const connection = await database.connect();
const from = `read_parquet('${file.replaceAll("'", "''")}')`;
await connection.runAndReadAll(`SELECT count(*),
  count(*) FILTER (WHERE id IS NULL), count(*) FILTER (WHERE "user" IS NULL), count(*) FILTER (WHERE amount IS NULL),
  count(*) FILTER (WHERE kind IS NULL), count(*) FILTER (WHERE "at" IS NULL), count(*) FILTER (WHERE note IS NULL),
  avg(id), avg(amount), avg(kind), approx_quantile(id::DOUBLE, [0.05, 0.5, 0.95]), approx_quantile(amount, [0.05, 0.5, 0.95]),
  approx_quantile(kind::DOUBLE, [0.05, 0.5, 0.95]), max("at") FROM ${from}`);
await connection.runAndReadAll(
  `SELECT count(*) FROM (SELECT id FROM ${from} GROUP BY id HAVING count(*) > 1)`,
);
