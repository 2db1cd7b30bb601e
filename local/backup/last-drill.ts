import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folder, beside the points, of the records of drills. */
export const drillsFolder = 'drills';

/** The newest drill that passed. */
export interface PassedDrill {
  /** In milliseconds since the Unix epoch. */
  readonly finishedAt: number;
  /** Milliseconds from the kill to the answer, in the slowest round; absent where the record has none. */
  readonly recoveryMs?: number;
}

/** The newest drill that passed, as its record beside the points has it; undefined where none has. */
export function lastPassedDrill(repository: string): PassedDrill | undefined {
  const folder = join(repository, drillsFolder);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  for (const name of names.sort().reverse()) {
    try {
      const { finishedAt, verdict } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
        finishedAt: string;
        verdict: { passed: boolean; worstRtoMs?: number | null };
      };
      const { passed, worstRtoMs } = verdict;
      if (passed)
        return {
          finishedAt: Date.parse(finishedAt),
          ...(typeof worstRtoMs === 'number' ? { recoveryMs: worstRtoMs } : {}),
        };
    } catch {
      // A record that cannot be read proves nothing.
    }
  }
  return undefined;
}
