import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Fresh processes per figure; the fastest is taken, because whatever else runs only ever adds. */
const rounds = 15;

/** Starting the command, beside an empty program of the same Node. */
export async function benchCli(): Promise<Record<string, unknown>> {
  const empty = join(mkdtempSync(join(tmpdir(), 'epsilon-bench-')), 'empty.js');
  writeFileSync(empty, '');
  const command = resolve('cli/epsilon.js');
  const cases: Readonly<Record<string, readonly string[]>> = {
    empty: [empty],
    help: [command, '--help'],
    verbHelp: [command, 'tenants', 'add', '--help'],
    completion: [command, 'completion', 'bash'],
  };
  const fastest: Record<string, number> = {};
  // In turn, so that all meet the same load.
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, args] of Object.entries(cases)) {
      const began = performance.now();
      const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
      if (status !== 0) throw new Error(`${args.join(' ')} ended with ${String(status)}`);
      fastest[name] = Math.min(fastest[name] ?? Number.POSITIVE_INFINITY, performance.now() - began);
    }
  }
  const times = (name: string) => (fastest[name] ?? 0) / (fastest['empty'] ?? 1);
  return {
    emptyProgramMilliseconds: fastest['empty'],
    helpTimesEmptyProgram: times('help'),
    verbHelpTimesEmptyProgram: times('verbHelp'),
    completionTimesEmptyProgram: times('completion'),
  };
}
