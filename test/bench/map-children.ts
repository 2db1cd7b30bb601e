import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryJournal } from '../../local/asl/journal/memory.ts';
import { SqliteJournal } from '../../local/asl/journal/sqlite.ts';
import { makeEngine } from './engines.ts';

/**
 * Runs a Map of many items in a fresh process and prints processor seconds and the most memory that was resident; started by
 * the benchmark of Maps. Each item has one Pass state. OBJECTS is a distributed Map that reads its items from an object of JSON
 * lines and writes its results to objects.
 */
const [mode = 'DISTRIBUTED', journalName = 'memory', count = '100000'] = process.argv.slice(2);
const inObjects = mode === 'OBJECTS';
const place = { Bucket: 'b' };
const s3 = 'arn:aws:states:::s3';
const source = inObjects
  ? {
      ItemReader: {
        Resource: `${s3}:getObject`,
        ReaderConfig: { InputType: 'JSONL' },
        Arguments: { ...place, Key: 'items' },
      },
      ResultWriter: { Resource: `${s3}:putObject`, Arguments: { ...place, Prefix: 'results' } },
    }
  : { Items: Array.from({ length: Number(count) }, (_, index) => index) };
const lines = () =>
  Array.from({ length: inObjects ? Number(count) : 0 }, (_, value) =>
    JSON.stringify({ tenantId: `tenant-${value}`, value }),
  ).join('\n');
const stateDir = mkdtempSync(join(tmpdir(), 'epsilon-bench-'));
const journal = journalName === 'sqlite' ? new SqliteJournal({ stateDir }) : new MemoryJournal();
const engine = makeEngine(journal, {}, lines);
const before = process.resourceUsage();
engine.registerMachine({
  name: 'm',
  definition: {
    QueryLanguage: 'JSONata',
    StartAt: 'M',
    States: {
      M: {
        Type: 'Map',
        ...source,
        ItemProcessor: {
          ...(mode === 'INLINE'
            ? {}
            : { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } }),
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
