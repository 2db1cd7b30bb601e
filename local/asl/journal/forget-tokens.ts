import type { Database, Row } from '../../stores/database.ts';
import type { ThreadRecord } from '../model/records.ts';
import { type Column, columnsOf, sumOf, type Table } from './row-sums.ts';

const openExecutions = "SELECT key FROM executions WHERE status IN ('RUNNING', 'PENDING_REDRIVE')";

/** Rows in which a token of an open execution may occur, with the columns by which each is found. */
const places: readonly { readonly table: Table; readonly keys: readonly string[]; readonly of: string }[] = [
  { table: 'executions', keys: ['key'], of: 'key' },
  { table: 'threads', keys: ['execution', 'id'], of: 'execution' },
  { table: 'events', keys: ['execution', 'first'], of: 'execution' },
];

function rewrite(db: Database, table: Table, keys: readonly string[], row: Row, body: string): void {
  const sum = sumOf(
    columnsOf[table].map((column) => row[column] as Column),
    body,
  );
  const where = keys.map((key) => `${key} = ?`).join(' AND ');
  const values = keys.map((key) => row[key] ?? null);
  db.run(`UPDATE ${table} SET body = ?, crc = ? WHERE ${where}`, body, sum, ...values);
}

/**
 * Overwrites the task tokens that are waited for in a copy of a journal: whoever reads the copy can answer nothing. What was there
 * is not left in the file's free space either.
 */
export function forgetTokens(db: Database): void {
  const tokens = db
    .all(`SELECT body FROM threads WHERE execution IN (${openExecutions})`)
    .flatMap(({ body }) => (JSON.parse(String(body)) as ThreadRecord).task?.token ?? []);
  if (tokens.length === 0) return;
  const pattern = new RegExp(tokens.join('|'), 'g');
  db.run('PRAGMA secure_delete = ON');
  db.transaction(() => {
    for (const { table, keys, of } of places) {
      for (const row of db.all(`SELECT * FROM ${table} WHERE ${of} IN (${openExecutions})`)) {
        const body = String(row['body']);
        const without = body.replace(pattern, (token) => '0'.repeat(token.length));
        if (without !== body) rewrite(db, table, keys, row, without);
      }
    }
  });
}
