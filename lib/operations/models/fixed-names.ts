import type { ObjectStore } from '../../ports/object-store.ts';
import { artifactNames } from '../../training/models/candidate.ts';
import type { LiveModel } from '../../training/models/model.ts';

/**
 * Writes the fixed names of a tenant (`<tenant>/training_data/`, `<tenant>/model.bin`, `<tenant>/index.faiss`) for
 * readers that know no versions. Copies only; the pointer that counts is the live record. Safe to repeat.
 */
export async function writeFixedNames(
  objects: ObjectStore,
  bucket: string,
  live: LiveModel,
): Promise<number> {
  const root = `s3://${bucket}/${live.tenantId}/`;
  let copied = 0;
  const copy = async (from: string, to: string) => {
    await objects.copy(from, to);
    copied += 1;
  };
  const manifest = `${live.dataUri}${artifactNames.manifest}`;
  for await (const { uri } of objects.list(live.dataUri)) {
    if (uri !== manifest) await copy(uri, `${root}training_data/${uri.slice(live.dataUri.length)}`);
  }
  await copy(manifest, `${root}training_data/${artifactNames.manifest}`);
  await copy(live.modelUri, `${root}${artifactNames.model}`);
  await copy(live.indexUri, `${root}${artifactNames.index}`);
  await objects.put(`${root}model.json`, `${JSON.stringify(live, null, 2)}\n`, {
    contentType: 'application/json',
  });
  return copied;
}
