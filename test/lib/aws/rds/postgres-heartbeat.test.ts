import type { ClientConfig } from 'pg';
import { describe, expect, it } from 'vitest';
import { postgresHeartbeat } from '../../../../lib/aws/rds/postgres-heartbeat.ts';

const place = {
  host: 'db.example',
  port: 5432,
  database: 'embeddings_saas',
  user: 'epsilon_heartbeat',
  password: async () => 'a-token-of-iam',
  tls: undefined,
};

/** A database that answers statements as `answer` does; tells what it was asked. */
function aDatabase(answer: (sql: string) => readonly Record<string, unknown>[] | Error) {
  const asked: string[] = [];
  const connections: ClientConfig[] = [];
  let closed = 0;
  const heartbeat = postgresHeartbeat(place, async (config) => {
    connections.push(config);
    return {
      connect: async () => {},
      query: async (sql) => {
        asked.push(sql.trim().split(/\s+/).slice(0, 2).join(' '));
        const rows = answer(sql);
        if (rows instanceof Error) throw rows;
        return { rows };
      },
      end: async () => {
        closed += 1;
      },
    };
  });
  return { heartbeat, asked, connections, closed: () => closed };
}

const noTable = Object.assign(new Error('relation does not exist'), { code: '42P01' });
const beat = { n: 8, at: '2026-11-24T02:08:00.000Z' };

describe('heartbeat in PostgreSQL', () => {
  it('table is made when it is not there, once', async () => {
    let made = false;
    const database = aDatabase((sql) => {
      if (sql.startsWith('CREATE')) made = true;
      return made ? [] : noTable;
    });
    await database.heartbeat.beat(beat);
    await database.heartbeat.beat(beat);
    expect(database.asked).toEqual(['INSERT INTO', 'CREATE TABLE', 'INSERT INTO', 'INSERT INTO']);
    expect(database.closed()).toBe(2);
  });

  it('number is read as it was written, whatever the driver makes of it', async () => {
    const database = aDatabase(() => [{ n: '8', at: new Date(beat.at) }]);
    expect(await database.heartbeat.newest()).toEqual(beat);
    expect(await aDatabase(() => noTable).heartbeat.newest()).toBeUndefined();
    expect(await aDatabase(() => []).heartbeat.newest()).toBeUndefined();
  });

  it('database that cannot be reached is told without the token, and the connection is closed', async () => {
    const database = aDatabase(() => new Error('password a-token-of-iam was refused'));
    const error = await database.heartbeat.newest().catch((one: unknown) => one);
    expect(error).toMatchObject({ code: 'DATABASE_UNREACHABLE', retryable: true });
    expect(String(error)).not.toContain('a-token-of-iam');
    expect(database.closed()).toBe(1);
    expect(database.connections[0]).toMatchObject({
      statement_timeout: 10_000,
      connectionTimeoutMillis: 5_000,
    });
  });
});
