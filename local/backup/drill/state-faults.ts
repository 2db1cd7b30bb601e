import { closeSync, existsSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Case } from './faults.ts';
import { callCommand, startDrilled } from './processes.ts';

/** Bytes at the end of a write-ahead log that a loss of power leaves as nothing: less than its last page. */
const tornBytes = 2_000;

/** Tears the ends of the logs that a killed control plane left; gives how many there were. */
function tearLogs(databases: string): number {
  const logs = readdirSync(databases)
    .filter((name) => name.endsWith('-wal'))
    .map((name) => join(databases, name))
    .filter((file) => statSync(file).size > tornBytes);
  for (const file of logs) {
    const torn = openSync(file, 'r+');
    writeSync(torn, Buffer.alloc(tornBytes), 0, tornBytes, statSync(file).size - tornBytes);
    closeSync(torn);
  }
  return logs.length;
}

/** Faults of the state itself, and of where its backups go. */
export const stateCases: readonly Case[] = [
  {
    fault: 'F45',
    what: 'the power fails while records are written: what was whole is read, and the next point is whole',
    provoke: async ({ parts }) => {
      const drilled = await startDrilled(parts.place, 60_000);
      await drilled.kill();
      const torn = tearLogs(parts.place.stateDir);
      if (torn === 0) return 'the killed control plane left no log to tear';
      for (const words of [['backup', 'run'], ['backup', 'verify'], ['executions']]) {
        const { code, said } = await callCommand(parts.place, words);
        if (code !== 0) return `epsilon ${words.join(' ')} ended with ${code}: ${said.slice(0, 200)}`;
      }
      return undefined;
    },
  },
  {
    fault: 'F38',
    what: 'the place that backups go to takes nothing: it is named, and no point is made there',
    provoke: async ({ parts }, into) => {
      const backups = join(dirname(into.stateDir), 'no-folder');
      writeFileSync(backups, '');
      const { code, document } = await callCommand({ ...parts.place, backups }, ['backup', 'run']);
      const { error } = document as { error?: { readonly code?: string } };
      if (code === 0 || error?.code !== 'BACKUP_DIR_UNWRITABLE')
        return `ended with ${code} and ${error?.code ?? 'no error'}`;
      return statSync(backups).size === 0 ? undefined : 'something was written';
    },
  },
  {
    fault: 'F40',
    what: 'a restored state that nobody approved is none: nothing can be begun in it',
    provoke: async (_, into) => {
      const restored = await callCommand(into, ['restore', '--to', 'newest']);
      if (restored.code !== 0) return `the restore ended with ${restored.code}`;
      return existsSync(into.stateDir) ? 'the state is there before it was approved' : undefined;
    },
  },
];
