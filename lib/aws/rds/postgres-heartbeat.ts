import type { ClientConfig } from 'pg';
import type { Heartbeat } from '../../backup/cloud/heartbeat.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { DatabaseHeartbeat } from '../../ports/backup/heartbeats.ts';

/** A connection, as far as heartbeats use one. */
export interface PostgresConnection {
  connect(): Promise<unknown>;
  query(sql: string, values?: unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
  end(): Promise<void>;
}

/** What a connection is made with. */
export interface PostgresPlace {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Asked for each connection: a token of IAM holds for fifteen minutes. */
  readonly password: () => Promise<string>;
  readonly tls: ClientConfig['ssl'];
}

/** Milliseconds to connect, and for a statement: a heartbeat that takes longer is missed. */
const connectMs = 5_000;
const statementMs = 10_000;

/** PostgreSQL's word for a table that is not there. */
const undefinedTable = '42P01';

const make = `CREATE TABLE IF NOT EXISTS epsilon_recovery.heartbeat
  (id smallint PRIMARY KEY CHECK (id = 1), n bigint NOT NULL, at timestamptz NOT NULL)`;
const write = `INSERT INTO epsilon_recovery.heartbeat AS kept (id, n, at) VALUES (1, $1, $2)
  ON CONFLICT (id) DO UPDATE SET n = excluded.n, at = excluded.at WHERE kept.n < excluded.n`;
const read = 'SELECT n, at FROM epsilon_recovery.heartbeat WHERE id = 1';

const hasNoTable = (error: unknown) => (error as { code?: string }).code === undefinedTable;

/**
 * The heartbeat in a schema of its own, `epsilon_recovery`, which its user owns (docs/recover.md). Each use has a connection of its own,
 * because a function sleeps between two.
 */
export function postgresHeartbeat(
  place: PostgresPlace,
  open: (config: ClientConfig) => Promise<PostgresConnection>,
): DatabaseHeartbeat {
  async function connected<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const { host, port, database, user, tls } = place;
    const password = await place.password();
    let connection: PostgresConnection | undefined;
    try {
      connection = await open({
        host,
        port,
        database,
        user,
        password,
        ssl: tls,
        connectionTimeoutMillis: connectMs,
        statement_timeout: statementMs,
        query_timeout: statementMs,
        application_name: 'epsilon-heartbeat',
      });
      await connection.connect();
      return await work(connection);
    } catch (error) {
      const words = (error as Error).message.replaceAll(password || '\u0000', '(token)');
      throw new EpsilonError('DATABASE_UNREACHABLE', `The database took no heartbeat: ${words}.`, {
        exitCode: exitCodes.backend,
        retryable: true,
      });
    } finally {
      await connection?.end().catch(() => {});
    }
  }

  return {
    beat: ({ n, at }) =>
      connected(async (connection) => {
        try {
          await connection.query(write, [n, at]);
        } catch (error) {
          if (!hasNoTable(error)) throw error;
          await connection.query(make);
          await connection.query(write, [n, at]);
        }
      }),
    newest: () =>
      connected(async (connection): Promise<Heartbeat | undefined> => {
        try {
          const [row] = (await connection.query(read)).rows;
          return row && { n: Number(row['n']), at: new Date(String(row['at'])).toISOString() };
        } catch (error) {
          if (hasNoTable(error)) return undefined;
          throw error;
        }
      }),
  };
}
