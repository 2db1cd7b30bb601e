import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import type { ObjectStore } from '../../lib/ports/object-store.ts';

/** What a training leaves besides its model, which nobody needs to ask it. */
const beside = /\/(checkpoints|spool)\/[^/]+$/;

/**
 * Works with a copy of what is below a prefix, in a folder of this host that is an objects' folder of its own and is removed after the work: a
 * query command reads a model there as it does one that was trained here.
 */
export async function withModelCopy<T>(
  objects: Pick<ObjectStore, 'list' | 'stream'>,
  prefix: string,
  work: (objectsRoot: string) => Promise<T>,
): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'epsilon-model-'));
  try {
    const copies = createFileObjectStore({ root });
    for await (const { uri } of objects.list(prefix))
      if (!beside.test(uri)) await copies.put(uri, objects.stream(uri));
    return await work(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
