import { closeSync, existsSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { FileBackupRepository } from '../file-repository.ts';
import type { Case } from './fault-case.ts';
import { callCommand, startDrilled } from './processes.ts';

/** Bytes at the end of a write-ahead log that a loss of power leaves as nothing: less than its last page. */
const tornBytes = 2_000;

/** Milliseconds that a control plane may take to its first point. */
const longestMs = 60_000;

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
    provoke: async ({ parts, repository }) => {
      const { place, clock } = parts;
      await (await startDrilled(place, 60_000)).kill();
      if (tearLogs(place.stateDir) === 0) return 'the killed control plane left no log to tear';
      const before = (await repository.newest())?.id;
      const drilled = await startDrilled(place, 50);
      const since = clock.now();
      let after = before;
      while (after === before && clock.now() - since < longestMs) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        after = (await repository.newest())?.id;
      }
      await drilled.kill();
      if (after === before) return 'no point was made afterwards';
      const { code, said } = await callCommand(place, ['backup', 'verify']);
      return code === 0 ? undefined : `the newest point: ${said.slice(0, 200)}`;
    },
  },
  {
    fault: 'F38',
    what: 'the place that backups go to is no folder: it is named, and nothing is written there',
    provoke: async ({ newest }, into) => {
      const place = join(dirname(into.stateDir), 'no-folder');
      writeFileSync(place, '');
      const { lineage, epoch } = newest;
      const refused: unknown = await new FileBackupRepository(place)
        .open({ lineage, epoch })
        .catch((error: unknown) => error);
      if (!(refused instanceof EpsilonError) || refused.code !== 'BACKUP_DIR_FOREIGN')
        return `ended with ${String(refused)}`;
      return statSync(place).size === 0 ? undefined : 'something was written';
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
