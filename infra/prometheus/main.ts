import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { renderedFiles } from './rendered.ts';

/** `npm run render:monitoring`: writes what follows from the catalogues of lib/monitoring. */
for (const { path, text } of renderedFiles()) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  process.stdout.write(`${path}\n`);
}
