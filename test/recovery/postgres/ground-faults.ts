import { closeSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { folderFor, program, run } from './place.ts';
import { archiveRpoMs, type Provoked } from './provoked.ts';
import { restoreNewest } from './restore.ts';
import { archived, beat, clear, type Ground, inspect, pause, prepare } from './round.ts';
import { ask } from './server.ts';
import { placeOf } from './wal.ts';

/** Milliseconds within which it has to show that the log goes nowhere any more. */
const alarmMs = 60_000;

const segmentBytes = 16 * 1_048_576;

/** Provokes a fault on a cluster of its own that runs; says what went wrong, undefined when it held. */
async function onGround(
  mode: 'archive' | 'streaming',
  fault: Pick<Provoked, 'fault' | 'what'>,
  provoke: (ground: Ground) => Promise<{ readonly wrong?: string | undefined; readonly measured?: string }>,
): Promise<Provoked> {
  const ground = await prepare(mode, 1);
  try {
    const { wrong, measured } = await provoke(ground);
    return {
      ...fault,
      ...(wrong === undefined ? {} : { wrong }),
      ...(measured === undefined ? {} : { measured }),
    };
  } catch (error) {
    return { ...fault, wrong: String(error) };
  } finally {
    await clear(ground);
  }
}

/** A receiver that dies: commits wait for it, and its absence shows. */
export function deadReceiver(): Promise<Provoked> {
  const fault = {
    fault: 'F38',
    what: 'the receiver of the log dies: no commit is acknowledged, and its absence shows within 60 s',
  };
  return onGround('streaming', fault, async (ground) => {
    beat(ground, 1, 10);
    await ground.stopReceiver();
    const stopped = Date.now();
    const args = ['-X', '-h', ground.server.socket, '-U', 'postgres', '-d', 'postgres'];
    const { code, out } = run(program('psql'), args, 'INSERT INTO heartbeat VALUES (11, now());', 3_000);
    if (code === 0 || out !== '') return { wrong: `acknowledged: ${out}` };
    const connected = () =>
      ask(ground.server, "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'receiver'")[0];
    while (connected() !== '0') {
      if (Date.now() - stopped > alarmMs) return { wrong: 'it still counts as connected after 60 s' };
      await pause(200);
    }
    return { measured: `seen after at most ${Date.now() - stopped} ms` };
  });
}

/** An archive that takes nothing any more: seen at the destination, while the source is content. */
export function stoppedArchive(): Promise<Provoked> {
  const fault = {
    fault: 'F38',
    what: 'the archive takes nothing any more: its age at the destination shows it within 60 s',
  };
  return onGround('archive', fault, async (ground) => {
    beat(ground, 1, 10);
    await archived(ground);
    if (ground.repository.age() * 1_000 > archiveRpoMs) return { wrong: 'it was too old from the start' };
    ask(ground.server, "ALTER SYSTEM SET archive_command = 'false'");
    ask(ground.server, 'SELECT pg_reload_conf()');
    const stopped = Date.now();
    for (let n = 11; ground.repository.age() * 1_000 <= archiveRpoMs; n += 1) {
      // It goes on taking writes, each of them acknowledged.
      beat(ground, n, n);
      if (Date.now() - stopped > alarmMs) return { wrong: 'after 60 s its age is within the bound' };
      await pause(500);
    }
    return { measured: `seen after ${Date.now() - stopped} ms` };
  });
}

/** A backup for which nothing was ever begun: no message comes of it, its age shows it. */
export function backupThatNeverBegan(): Promise<Provoked> {
  const fault = { fault: 'F36', what: 'no segment was ever archived: that has no age, which is too old' };
  return onGround('archive', fault, async ({ repository }) => {
    const nothing = Object.create(repository, { segments: { value: () => [] } }) as typeof repository;
    return nothing.age() * 1_000 > archiveRpoMs ? {} : { wrong: `its age is ${nothing.age()} s` };
  });
}

/** The last record of what a receiver has, torn in its middle as a loss of power leaves it. */
export function tornTail(): Promise<Provoked> {
  const fault = {
    fault: 'F45',
    what: 'the power of the receiver fails in the middle of a record: everything before it is restored, the torn one is told as lost',
  };
  return onGround('streaming', fault, async (ground) => {
    const { receiver = '', place, repository, systemId, server, cluster } = ground;
    for (let n = 1; n <= 20; n += 1) beat(ground, n, n);
    const [whole = ''] = ask(server, 'SELECT pg_current_wal_lsn()');
    beat(ground, 21, 21);
    await server.kill();
    await ground.stopReceiver();
    const partial = readdirSync(receiver).find((name) => name.endsWith('.partial')) ?? '';
    // From the middle of the record of the last heartbeat on there is nothing.
    const torn = Number(placeOf(whole) % BigInt(segmentBytes)) + 20;
    const file = openSync(join(receiver, partial), 'r+');
    writeSync(file, Buffer.alloc(segmentBytes - torn), 0, segmentBytes - torn, torn);
    closeSync(file);
    const into = { data: join(place, 'torn'), socket: join(place, 'torn-socket') };
    const scratch = folderFor(join(place, 'scratch'));
    const restored = await restoreNewest({ repository, receiver, systemId, scratch, into });
    const { newest, faults } = inspect(restored.server, ground);
    await restored.server.kill();
    if (faults[0] !== undefined) return { wrong: faults[0] };
    if (newest !== 20) return { wrong: `${newest} heartbeats of the 20 that were whole (${cluster.data})` };
    return { measured: '1 of 21 acknowledged is lost, and known to be' };
  });
}

/** A table that is gone before a backup succeeds: the backup before is still there, and the moment before. */
export function missingTable(): Promise<Provoked> {
  const fault = {
    fault: 'F35',
    what: 'a table is dropped and the next backup succeeds: the verification misses it, nothing has expired, the moment before is restored',
  };
  return onGround('archive', fault, async (ground) => {
    const { server, repository, systemId, place } = ground;
    beat(ground, 1, 10);
    const [before = ''] = ask(server, 'SELECT pg_current_wal_lsn()');
    ask(server, 'DROP TABLE filler');
    repository.backUp();
    repository.backUp();
    await archived(ground);
    await server.kill();
    const request = (name: string) => ({
      repository,
      systemId,
      scratch: folderFor(join(place, `${name}-scratch`)),
      into: { data: join(place, name), socket: join(place, `${name}-socket`) },
    });
    const newest = await restoreNewest(request('newest'));
    const missed = inspect(newest.server, ground).faults;
    await newest.server.kill();
    if (missed.length === 0) return { wrong: 'the verification did not miss the table' };
    const earlier = await restoreNewest({ ...request('earlier'), to: before });
    const { newest: beats, faults } = inspect(earlier.server, ground);
    await earlier.server.kill();
    if (faults[0] !== undefined) return { wrong: faults[0] };
    return beats === 10 ? {} : { wrong: `${beats} heartbeats of 10` };
  });
}

/** A restored cluster does nothing of what the lost one did: it archives nowhere and waits for no receiver. */
export function isolated(): Promise<Provoked> {
  const fault = {
    fault: 'F40',
    what: 'a restored cluster archives into nothing of the lost one, and no receiver of it is waited for',
  };
  return onGround('streaming', fault, async (ground) => {
    const { server, receiver = '', repository, systemId, place } = ground;
    beat(ground, 1, 10);
    await server.kill();
    await ground.stopReceiver();
    const kept = repository.segments();
    const into = { data: join(place, 'apart'), socket: join(place, 'apart-socket') };
    const scratch = folderFor(join(place, 'scratch'));
    const restored = await restoreNewest({ repository, receiver, systemId, scratch, into });
    ask(restored.server, 'INSERT INTO heartbeat VALUES (11, now()); SELECT pg_switch_wal()');
    await pause(1_000);
    await restored.server.kill();
    const after = repository.segments();
    return after.join() === kept.join() ? {} : { wrong: `${after.length - kept.length} segments were added` };
  });
}
