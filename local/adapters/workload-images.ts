import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageResolver } from '../../lib/ports/image-resolver.ts';
import type { ImageName } from '../../lib/training/stages.ts';

/** Folders whose sources the workload's processes run. */
const sources = [
  'workload',
  'lib/training',
  'lib/documents',
  'lib/objects',
  'lib/files',
  'lib/errors',
] as const;

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Images of this host are the workload's sources; their digest is over every file's path and content. */
export function workloadImages(projectDir: string): ImageResolver {
  let digest: string | undefined;
  const compute = (): string => {
    const hash = createHash('sha256');
    for (const folder of sources) {
      for (const file of sourceFiles(join(projectDir, folder))) {
        hash.update(file.slice(projectDir.length)).update('\0').update(readFileSync(file)).update('\0');
      }
    }
    return hash.digest('hex');
  };
  return {
    resolve: async (names) => {
      digest ??= compute();
      return Object.fromEntries(names.map((name) => [name, `${name}@sha256:${digest}`])) as Record<
        ImageName,
        string
      >;
    },
  };
}
