import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SqliteJournal } from '../../../../local/asl/journal/sqlite.ts';
import { seededRandom } from '../../../../local/clock/seeded-random.ts';
import { freshDir, invoke, machine, makeBench, waitForToken } from '../harness.ts';

/** A closed state directory with executions that ended, failed, wait, and have children of distributed Maps. */
async function written(): Promise<string> {
  const stateDir = freshDir();
  const failing = () => {
    throw Object.assign(new Error('no'), { name: 'Down' });
  };
  const { engine, clock } = makeBench({
    journal: new SqliteJournal({ stateDir }),
    functions: { f: () => 1, w: () => ({}), bad: failing },
  });
  const processor = {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
    StartAt: 'J',
    States: { J: invoke('f', { End: true }) },
  };
  const definition = (last: Record<string, unknown>) =>
    machine({
      T: invoke('f', { Next: 'D' }),
      D: { Type: 'Map', Items: [1, 2, 3], ItemProcessor: processor, Next: 'W' },
      W: { ...last, End: true },
    });
  engine.registerMachine({ name: 'waits', definition: definition(waitForToken('w')) });
  engine.registerMachine({ name: 'fails', definition: definition(invoke('bad')) });
  engine.registerMachine({ name: 'ends', definition: definition({ Type: 'Pass' }) });
  for (const name of ['waits', 'fails', 'ends', 'waits', 'fails'])
    await engine.startExecution({ machine: name, input: { name } });
  for (let round = 0; round < 10; round += 1) await clock.advance(0);
  await engine.close();
  return stateDir;
}

/** Everything a journal can be asked for. */
function everything(stateDir: string): string {
  const journal = new SqliteJournal({ stateDir });
  try {
    const all = journal.list({ limit: 1_000 });
    const runs = all.flatMap(({ key }) => journal.mapRunsOf(key));
    const children = runs.flatMap(({ arn }) => journal.childrenOf(arn, 0, 1_000));
    const records = [...all, ...children];
    return JSON.stringify([
      all,
      runs,
      children,
      journal.open(),
      journal.openMapRuns(),
      runs.map(({ arn }) => journal.mapRun(arn)),
      records.map(({ arn }) => journal.stored(arn)),
      records.map(({ key }) => journal.events(key, 1, 1_000)),
      records.map(({ definition }) => journal.definition(definition)),
      ['waits', 'fails', 'ends'].map((name) => journal.list({ machine: name, limit: 1_000 })),
      (['RUNNING', 'FAILED', 'SUCCEEDED'] as const).map((status) => journal.list({ status, limit: 1_000 })),
      journal.highestKey(),
    ]);
  } finally {
    journal.close();
  }
}

describe('F47: engine.db', () => {
  it('with any one bit changed is refused with file and place, or reads as if nothing were changed', async () => {
    const stateDir = await written();
    const file = join(stateDir, 'engine.db');
    const whole = readFileSync(file);
    const truth = everything(stateDir);
    const random = seededRandom(47);
    let refused = 0;
    for (let flip = 0; flip < 500; flip += 1) {
      const bytes = Buffer.from(whole);
      const at = Math.floor(random() * bytes.length);
      const bit = Math.floor(random() * 8);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
      for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
      writeFileSync(file, bytes);
      try {
        expect(everything(stateDir), `bit ${bit} of byte ${at}`).toBe(truth);
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        expect(code, `bit ${bit} of byte ${at}: ${message}`).toMatch(/^STATE_DIR_(CORRUPT|FOREIGN|NEWER)$/);
        expect(message).toContain(file);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(100);
  }, 60_000);

  it('from before checksums covered columns is read, and marked so that older versions refuse it', async () => {
    const stateDir = await written();
    const truth = everything(stateDir);
    const raw = new DatabaseSync(join(stateDir, 'engine.db'));
    raw.function('old_sum', (body) => crc32(String(body)));
    for (const table of ['executions', 'definitions', 'events', 'threads', 'map_runs'])
      raw.exec(`UPDATE ${table} SET crc = old_sum(body)`);
    raw.exec('PRAGMA user_version = 1');
    raw.close();
    expect(everything(stateDir)).toBe(truth);
    const again = new DatabaseSync(join(stateDir, 'engine.db'));
    expect(again.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 });
    again.close();
  });
});
