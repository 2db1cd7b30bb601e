import { SqliteJournal } from '../../local/asl/journal/sqlite.ts';
import { makeEngine } from './engines.ts';

/** Takes a state directory's open executions up in a fresh process and prints seconds and memory; started by the engine's benchmark. */
const [stateDir = '', definition = '{}'] = process.argv.slice(2);
const began = performance.now();
const engine = makeEngine(new SqliteJournal({ stateDir }));
engine.registerMachine({ name: 'm', definition: JSON.parse(definition) });
const executions = engine.recover();
while (engine.busy) await new Promise<void>((resolve) => setImmediate(resolve));
const seconds = (performance.now() - began) / 1000;
process.stdout.write(
  JSON.stringify({ executions, seconds, processMebibytes: process.memoryUsage().rss / 1_048_576 }),
);
process.exit(0);
