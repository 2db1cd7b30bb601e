import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { GroupSize, SizedGroups } from '../../lib/ports/serving/sized-groups.ts';

const size = z.int().min(0).max(1_000_000);
const groupsSchema = z.record(z.string(), z.strictObject({ min: size, desired: size, max: size }));

/** Groups in a file, for whoever keeps machines for this host's service; none while there is none. */
export function fileSizedGroups(file: string): SizedGroups {
  async function read(): Promise<Readonly<Record<string, GroupSize>>> {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    return groupsSchema.parse(JSON.parse(text));
  }
  const of = (groups: Readonly<Record<string, GroupSize>>, group: string) =>
    Object.hasOwn(groups, group) ? groups[group] : undefined;
  return {
    size: async (group) => of(await read(), group),
    async setMin(group, min) {
      const groups = await read();
      const found = of(groups, group);
      if (!found)
        throw new EpsilonError('GROUP_NOT_FOUND', `There is no group ${group} in ${file}.`, {
          exitCode: exitCodes.backend,
        });
      const changed = { ...groups, [group]: { ...found, min, desired: Math.max(found.desired, min) } };
      const draft = `${file}.new`;
      await writeFile(draft, `${JSON.stringify(changed)}\n`, { mode: 0o600 });
      await rename(draft, file);
      return 'set';
    },
  };
}
