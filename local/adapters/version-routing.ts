import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { RoutedVersion, VersionRouting } from '../../lib/ports/release/version-routing.ts';
import { machineArn } from '../asl/model/names.ts';

const routedSchema = z.record(
  z.string(),
  z.array(z.strictObject({ versionArn: z.string().min(1), weight: z.number() })),
);

/** Versions in a file. Every version of a machine is what this process has: the embedded runtime has one. */
export interface FileVersions extends VersionRouting {
  /** Begins to move a machine to its next version, as a deploy does. */
  split(machine: string): Promise<void>;
  /** Ends that: all new executions get the version of after. */
  settle(machine: string): Promise<void>;
}

/** Versions behind the machines, in a file of the state directory. */
export function fileVersionRouting(file: string): FileVersions {
  const read = async () => {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    return routedSchema.parse(JSON.parse(text));
  };
  const write = async (machine: string, routed: readonly RoutedVersion[]) => {
    const draft = `${file}.new`;
    await writeFile(draft, `${JSON.stringify({ ...(await read()), [machine]: routed })}\n`, { mode: 0o600 });
    await rename(draft, file);
  };
  const current = async (machine: string) =>
    (await read())[machine] ?? [{ versionArn: `${machineArn(machine)}:1`, weight: 100 }];
  return {
    current,
    route: (machine, versionArn) => write(machine, [{ versionArn, weight: 100 }]),
    split: async (machine) => {
      const [before, after] = await current(machine);
      if (!before || after) return;
      const next = Number(before.versionArn.split(':').at(-1)) + 1;
      await write(machine, [
        { versionArn: before.versionArn, weight: 90 },
        { versionArn: `${machineArn(machine)}:${next}`, weight: 10 },
      ]);
    },
    settle: async (machine) => {
      const [, after] = await current(machine);
      if (after) await write(machine, [{ ...after, weight: 100 }]);
    },
  };
}
