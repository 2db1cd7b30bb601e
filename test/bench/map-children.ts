import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryJournal } from '../../local/asl/journal/memory.ts';
import { SqliteJournal } from '../../local/asl/journal/sqlite.ts';
import { makeEngine } from './engines.ts';

/**
 * Runs a Map of many items in a fresh process and prints processor seconds and the most memory that was resident; started by
 * the benchmark of Maps. Each item has one Pass state.
 */
const [mode = 'DISTRIBUTED', journalName = 'memory', count = '100000'] = process.argv.slice(2);
const stateDir = mkdtempSync(join(tmpdir(), 'epsilon-bench-'));
const journal = journalName === 'sqlite' ? new SqliteJournal({ stateDir }) : new MemoryJournal();
const engine = makeEngine(journal);
const before = process.resourceUsage();
engine.registerMachine({
  name: 'm',
  definition: {
    QueryLanguage: 'JSONata',
    StartAt: 'M',
    States: {
      M: {
        Type: 'Map',
        Items: Array.from({ length: Number(count) }, (_, index) => index),
        ItemProcessor: {
          ...(mode === 'DISTRIBUTED' ? { ProcessorConfig: { Mode: mode, ExecutionType: 'STANDARD' } } : {}),
          StartAt: 'P',
          States: { P: { Type: 'Pass', End: true } },
        },
        End: true,
      },
    },
  },
});
const { executionArn } = await engine.startExecution({ machine: 'm', input: {} });
const done = await engine.settled(executionArn);
if (done.status !== 'SUCCEEDED') throw new Error(`${done.error}: ${done.cause}`);
const after = process.resourceUsage();
await engine.close();
rmSync(stateDir, { recursive: true });
const microseconds = (usage: NodeJS.ResourceUsage) => usage.userCPUTime + usage.systemCPUTime;
process.stdout.write(
  JSON.stringify({
    processorSeconds: (microseconds(after) - microseconds(before)) / 1_000_000,
    // Kibibytes on Linux.
    peakMebibytes: after.maxRSS / 1024,
    idleMebibytes: before.maxRSS / 1024,
  }),
);
