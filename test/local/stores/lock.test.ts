import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openStateDirectory } from '../../../local/stores/state-directory.ts';
import { freshDir } from '../../fresh-dir.ts';

const script = fileURLToPath(new URL('take-lock.ts', import.meta.url));

/** A process that answers each line it is given with a line. */
function contender() {
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (question: unknown) => {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      return String((await answers.next()).value);
    },
    end: () => child.stdin.end(),
  };
}

it('F48: of several processes that find the same stale lock at once exactly one gets the directory', async () => {
  const contenders = Array.from({ length: 6 }, contender);
  const rounds = 40;
  const winners: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const path = join(freshDir(), 'state');
    openStateDirectory(path, 'write').release();
    writeFileSync(join(path, 'lock'), JSON.stringify({ pid: 4_000_000, start: '1' }));
    // The first round waits for the processes to be there.
    const at = Date.now() + (round === 0 ? 2_000 : 20);
    const results = await Promise.all(contenders.map(({ ask }) => ask({ path, at })));
    winners.push(results.filter((result) => result === 'taken').length);
    expect(results.filter((result) => result !== 'taken')).toEqual(
      Array.from({ length: 5 }, () => 'STATE_LOCKED'),
    );
  }
  for (const { end } of contenders) end();
  expect(winners).toEqual(Array.from({ length: rounds }, () => 1));
}, 60_000);
