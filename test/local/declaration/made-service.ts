import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { VariableSources } from '../../../local/declaration/variables.ts';

/** The whole fixture: one of everything the loader knows. */
export const wholeFolder = join(import.meta.dirname, 'fixtures', 'whole');

/** Sources of a folder as the tests use them. */
export function sourcesOf(folder: string, changes: Partial<VariableSources> = {}): VariableSources {
  return {
    folder,
    environment: 'local',
    variables: {},
    external: (kind, address) => `local:${kind}:${address}`,
    ...changes,
  };
}

/** A copy of the fixture in which texts are replaced, or files added (`undefined` removes one). */
export function changedFolder(
  changes: Readonly<Record<string, readonly [from: string, to: string] | string | undefined>>,
): string {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-service-'));
  cpSync(wholeFolder, folder, { recursive: true });
  for (const [path, change] of Object.entries(changes)) {
    const file = join(folder, path);
    if (change === undefined) {
      rmSync(file);
      continue;
    }
    mkdirSync(dirname(file), { recursive: true });
    if (typeof change === 'string') writeFileSync(file, change);
    else {
      const before = readFileSync(file, 'utf8');
      if (!before.includes(change[0])) throw new Error(`${path} does not contain ${change[0]}`);
      writeFileSync(
        file,
        before.replace(change[0], () => change[1]),
      );
    }
  }
  return folder;
}
