import type { Database } from '../../stores/database.ts';

/** Executions that are over and that nobody needs any more, with their children. */
export interface ForgetRequest {
  /** Milliseconds since the Unix epoch; only what ended before is forgotten. */
  readonly before: number;
  /** ARNs of executions that stay. */
  readonly keep: ReadonlySet<string>;
}

/** Executions that are forgotten in one transaction. */
const atOnce = 200;

/** An execution and, however deep, the children of its distributed Maps. */
function treeOf(db: Database, key: number): number[] {
  const children = db.all(
    `SELECT executions.key AS key FROM map_runs JOIN executions ON executions.map_run_arn = map_runs.arn
     WHERE map_runs.execution = ?`,
    key,
  );
  return [key, ...children.flatMap((child) => treeOf(db, Number(child['key'])))];
}

function forget(db: Database, keys: readonly number[]): void {
  db.transaction(() => {
    for (const key of keys) {
      db.run('DELETE FROM events WHERE execution = ?', key);
      db.run('DELETE FROM threads WHERE execution = ?', key);
      db.run('DELETE FROM map_runs WHERE execution = ?', key);
      db.run('DELETE FROM executions WHERE key = ?', key);
    }
  });
}

/** Keys of what may be forgotten, each with its children. The newest execution stays: numbers are counted on from it. */
export function forgettable(db: Database, { before, keep }: ForgetRequest): number[] {
  const ended = db.all(
    `SELECT key, arn FROM executions
     WHERE map_run_arn IS NULL AND status NOT IN ('RUNNING', 'PENDING_REDRIVE')
       AND json_extract(body, '$.stopDate') < ? AND key < (SELECT max(key) FROM executions) ORDER BY key`,
    before,
  );
  return ended.filter(({ arn }) => !keep.has(String(arn))).flatMap(({ key }) => treeOf(db, Number(key)));
}

/** Forgets executions in portions, between which others have their turn. */
export async function forgetExecutions(db: Database, keys: readonly number[]): Promise<void> {
  for (let at = 0; at < keys.length; at += atOnce) {
    forget(db, keys.slice(at, at + atOnce));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
