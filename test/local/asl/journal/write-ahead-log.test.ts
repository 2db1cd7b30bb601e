import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EpsilonError } from '../../../../lib/errors/epsilon-error.ts';
import { SqliteJournal } from '../../../../local/asl/journal/sqlite.ts';
import { freshDir, invoke, machine, makeBench } from '../harness.ts';

const frameBytes = 24 + 4_096;
const written = 20;
let source: { readonly database: Buffer; readonly log: Buffer; readonly acknowledged: readonly string[] };

/** A state directory as `kill -9` leaves it: nothing was closed, most of the state is in the log. */
beforeAll(async () => {
  const stateDir = freshDir();
  const journal = new SqliteJournal({ stateDir });
  const { engine, until } = makeBench({ journal, functions: { f: () => 1 } });
  engine.registerMachine({ name: 'm', definition: machine({ T: invoke('f', { End: true }) }) });
  const acknowledged: string[] = [];
  for (let run = 0; run < written; run += 1) {
    const { executionArn } = await engine.startExecution({ machine: 'm', input: { run } });
    await until(executionArn);
    acknowledged.push(executionArn);
  }
  const file = join(stateDir, 'engine.db');
  source = { database: readFileSync(file), log: readFileSync(`${file}-wal`), acknowledged };
  await engine.close();
});

/** Opens a copy whose log was changed. */
function openWith(change: (log: Buffer) => Buffer): SqliteJournal {
  const stateDir = freshDir();
  writeFileSync(join(stateDir, 'engine.db'), source.database);
  writeFileSync(join(stateDir, 'engine.db-wal'), change(Buffer.from(source.log)));
  return new SqliteJournal({ stateDir });
}

const kept = (journal: SqliteJournal) =>
  source.acknowledged.filter((arn) => journal.execution(arn)?.status === 'SUCCEEDED').length;

describe('the write-ahead log', () => {
  it('that is whole is read to its end', () => {
    const journal = openWith((log) => log);
    expect(kept(journal)).toBe(written);
    journal.close();
  });

  it('with any one bit changed is refused with file and byte, unless only its last transaction is touched', () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.nat(source.log.length - 1), fc.nat(7), (at, bit) => {
        const open = () =>
          openWith((log) => {
            log.writeUInt8(log.readUInt8(at) ^ (1 << bit), at);
            return log;
          });
        let journal: SqliteJournal;
        try {
          journal = open();
        } catch (error) {
          refused += 1;
          const { code, message, details } = error as EpsilonError;
          expect(code).toBe('STATE_DIR_CORRUPT');
          expect(message).toContain('engine.db-wal');
          const place = Number(details?.['place']);
          expect(at).toBeGreaterThanOrEqual(place);
          expect(at).toBeLessThan(place === 0 ? 32 : place + frameBytes);
          return;
        }
        // The end of the last execution may be what was not acknowledged yet; nothing before it is lost.
        expect(kept(journal)).toBeGreaterThanOrEqual(written - 1);
        journal.close();
      }),
      { numRuns: 150 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it('that ends in a torn transaction, as a power cut leaves it, is read up to there', () => {
    const journal = openWith((log) => log.subarray(0, log.length - 1_000));
    expect(kept(journal)).toBeGreaterThanOrEqual(written - 1);
    journal.close();
  });

  it('of zeros, as a file system may leave it, holds nothing', () => {
    const stateDir = freshDir();
    new SqliteJournal({ stateDir }).close();
    const file = join(stateDir, 'engine.db');
    writeFileSync(`${file}-wal`, Buffer.alloc(10_000));
    const journal = new SqliteJournal({ stateDir });
    expect(journal.list({ limit: 1 })).toEqual([]);
    journal.close();
  });
});
