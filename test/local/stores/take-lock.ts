import { createInterface } from 'node:readline';
import { openStateDirectory } from '../../../local/stores/state-directory.ts';

/** A process of its own for the lock's test. For each line `{path, at}` it tries to open the directory at that instant, tells the result, and keeps what it got. */
for await (const line of createInterface({ input: process.stdin })) {
  const { path, at } = JSON.parse(line) as { path: string; at: number };
  // The only way to begin in the same microsecond as the others.
  while (Date.now() < at);
  let result = 'taken';
  try {
    openStateDirectory(path, 'write');
  } catch (error) {
    result = String((error as { code?: string }).code);
  }
  process.stdout.write(`${result}\n`);
}
