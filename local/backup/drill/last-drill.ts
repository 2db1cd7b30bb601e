import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folder, beside the points, of the records of drills. */
export const drillsFolder = 'drills';

/** When the newest drill that passed was finished, in milliseconds since the Unix epoch; undefined where none has. */
export function lastPassedDrill(repository: string): number | undefined {
  const folder = join(repository, drillsFolder);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  for (const name of names.sort().reverse()) {
    try {
      const { finishedAt, verdict } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
        finishedAt: string;
        verdict: { passed: boolean };
      };
      if (verdict.passed) return Date.parse(finishedAt);
    } catch {
      // A record that cannot be read proves nothing.
    }
  }
  return undefined;
}
