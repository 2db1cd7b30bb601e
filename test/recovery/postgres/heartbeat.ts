import { join } from 'node:path';
import { Client } from 'pg';
import { postgresHeartbeat } from '../../../lib/aws/rds/postgres-heartbeat.ts';
import { heartbeatAt, judgeHeartbeats } from '../../../lib/backup/cloud/heartbeat.ts';
import { folderFor } from './place.ts';
import type { Provoked } from './provoked.ts';
import { restoreNewest } from './restore.ts';
import { archived, clear, prepare } from './round.ts';
import { ask } from './server.ts';

/** What docs/recover.md has the administrator of the database do once, without the role of RDS. */
const onceByAnAdministrator = `CREATE ROLE epsilon_heartbeat LOGIN;
  CREATE SCHEMA epsilon_recovery AUTHORIZATION epsilon_heartbeat;`;

const heartbeatOf = (socket: string) =>
  postgresHeartbeat(
    {
      host: socket,
      port: 5432,
      database: 'postgres',
      user: 'epsilon_heartbeat',
      password: async () => '',
      tls: undefined,
    },
    async (settings) => new Client(settings),
  );

/** The heartbeat that is written on AWS, by its own client, on a real PostgreSQL: found again where that was restored. */
export async function heartbeatIsFoundAgain(): Promise<Provoked> {
  const fault = {
    fault: 'F35',
    what: 'the heartbeat of the service is found in what was restored; one that was acknowledged and is not there is missed',
  };
  const ground = await prepare('archive', 1);
  const { server, repository, systemId, place } = ground;
  try {
    ask(server, onceByAnAdministrator);
    const live = heartbeatOf(server.socket);
    const [first, second, lost] = [0, 60_000, 660_000].map((ms) => heartbeatAt(1_700_000_000_000 + ms));
    if (!first || !second || !lost) throw new Error('there are three heartbeats');
    if ((await live.newest()) !== undefined)
      return { ...fault, wrong: 'there was one before any was written' };
    for (const beat of [first, second, first]) await live.beat(beat);
    await archived(ground);
    await server.kill();
    const into = { data: join(place, 'again'), socket: join(place, 'again-socket') };
    const scratch = folderFor(join(place, 'scratch'));
    const restored = await restoreNewest({ repository, systemId, scratch, into });
    const found = (await heartbeatOf(into.socket).newest()) ?? null;
    const gone = await heartbeatOf(join(place, 'nobody'))
      .newest()
      .catch((error: { code?: string }) => error);
    await restored.server.kill();
    if (found?.n !== second.n || found.at !== second.at)
      return { ...fault, wrong: `${JSON.stringify(found)} was found, ${second.n} was written` };
    if (!(gone instanceof Error && 'code' in gone && gone.code === 'DATABASE_UNREACHABLE'))
      return { ...fault, wrong: `no server gave ${JSON.stringify(gone)}` };
    const judged = judgeHeartbeats({ database: found }, { database: lost }, lost.at);
    return judged.check.faults.length === 1 && judged.figures.lossMinutes === 10
      ? { ...fault, measured: '10 minutes lost, as was written' }
      : { ...fault, wrong: JSON.stringify(judged) };
  } catch (error) {
    return { ...fault, wrong: String(error) };
  } finally {
    await clear(ground);
  }
}
