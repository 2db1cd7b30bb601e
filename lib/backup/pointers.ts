import { parseObjectUri } from '../objects/object-uri.ts';
import type { LiveModel, ModelVersion } from '../training/models/model.ts';

type Named = Pick<ModelVersion, 'modelUri' | 'indexUri' | 'dataUri' | 'cacheUri'>;

function keyOf(uri: string): string {
  const { bucket, key } = parseObjectUri(uri);
  return `${bucket}/${key}`;
}

/** Objects, and prefixes (they end in "/"), as `bucket/key`, that models need to answer, each once. */
export function pointersOf(models: readonly (Named | LiveModel)[]): string[] {
  const named = models.flatMap(({ modelUri, indexUri, dataUri, cacheUri }) => [
    keyOf(modelUri),
    keyOf(indexUri),
    keyOf(indexUri.replace(/[^/]+$/, 'ids.json')),
    keyOf(dataUri),
    keyOf(cacheUri),
  ]);
  return [...new Set(named)].sort();
}

/** Whether an object, or any object below a prefix, is among keys. */
export function keyFinder(keys: Iterable<string>): (pointer: string) => boolean {
  const sorted = [...keys].sort();
  return (pointer) => {
    let [from, to] = [0, sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((sorted[middle] ?? '') < pointer) from = middle + 1;
      else to = middle;
    }
    const next = sorted[from];
    return pointer.endsWith('/') ? (next?.startsWith(pointer) ?? false) : next === pointer;
  };
}
