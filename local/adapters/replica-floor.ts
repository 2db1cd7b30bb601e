import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { ReplicaFloor } from '../../lib/ports/serving/replica-floor.ts';
import { specFleet } from '../../lib/scaling/replay.ts';

const floorSchema = z.strictObject({
  minReplicas: z.int().min(1),
  raisedAt: z.string().exactOptional(),
  expiresAt: z.string().exactOptional(),
  because: z.string().exactOptional(),
});

/** The least replicas in a file, for whoever runs the service on this host; the spec's minimum while there is none. */
export function fileReplicaFloor(file: string): ReplicaFloor {
  return {
    async current() {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      return text === undefined
        ? { minReplicas: specFleet.minReplicas }
        : floorSchema.parse(JSON.parse(text));
    },
    async set(floor) {
      const draft = `${file}.new`;
      await writeFile(draft, `${JSON.stringify(floor)}\n`, { mode: 0o600 });
      await rename(draft, file);
    },
  };
}
