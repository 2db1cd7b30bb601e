import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

interface Usage {
  readonly processorSeconds: number;
  readonly peakMebibytes: number;
  readonly idleMebibytes: number;
}

const children = 100_000;

/** In a process of its own, so that its memory and its processor time are its own. */
async function usageOf(
  mode: 'DISTRIBUTED' | 'INLINE' | 'OBJECTS',
  journal: 'memory' | 'sqlite',
): Promise<Usage> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(import.meta.dirname, 'map-children.ts'),
    mode,
    journal,
    String(children),
  ]);
  return JSON.parse(stdout) as Usage;
}

/**
 * A distributed Map of 100,000 children, each an execution with its own history, beside an inline Map of the same items,
 * which is one execution: processor time, because it does not depend on what else the host does, and peak memory.
 */
export async function benchMap(): Promise<Record<string, unknown>> {
  const inline = await usageOf('INLINE', 'memory');
  const beside = async (journal: 'memory' | 'sqlite', mode: 'DISTRIBUTED' | 'OBJECTS' = 'DISTRIBUTED') => {
    const usage = await usageOf(mode, journal);
    return {
      ...usage,
      processorRatio: usage.processorSeconds / inline.processorSeconds,
      target: '<= 256 MiB at the peak',
    };
  };
  return {
    children,
    inline,
    memory: await beside('memory'),
    sqlite: await beside('sqlite'),
    sqliteFromObjectsToObjects: await beside('sqlite', 'OBJECTS'),
  };
}
