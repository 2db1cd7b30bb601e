import { NotFound } from '../../lib/errors/store-errors.ts';
import type { ObjectInfo } from '../../lib/ports/object-store.ts';
import type { LiveModel } from '../../lib/training/models/model.ts';
import type { Footprint } from './footprint.ts';
import { config } from './settings.ts';

/** Objects in memory, as texts. */
export type Objects = Map<string, string>;

/** Where a tenant's fixed names are. */
export const fixedNamesOf = (tenantId: string) => `s3://${config.dataBucket}/${tenantId}/`;

type Through = <T>(label: string, args: readonly unknown[], perform: () => T) => Promise<T>;

/** What each call on an object touches. */
export const objectFootprints: Readonly<Record<string, (args: readonly unknown[]) => Footprint>> = {
  'objects.list': ([prefix]) => ({ reads: [String(prefix)], writes: [] }),
  'objects.copy': ([from, to]) => ({ reads: [String(from)], writes: [String(to)] }),
  'objects.put': ([uri]) => ({ reads: [], writes: [String(uri)] }),
  'objects.delete': ([uri]) => ({ reads: [], writes: [String(uri)] }),
};

function listed(objects: Objects, prefix: string): ObjectInfo[] {
  const names = [...objects.keys()].filter((uri) => uri.startsWith(prefix)).sort();
  return names.map((uri) => ({ uri, size: objects.get(uri)?.length ?? 0, modifiedAt: 0 }));
}

/** The calls on objects that explored handlers make. */
export function objectCalls(objects: Objects, through: Through) {
  return {
    async *list(prefix: string) {
      yield* await through('objects.list', [prefix], () => listed(objects, prefix));
    },
    copy: (from: string, to: string) =>
      through('objects.copy', [from, to], () => {
        const text = objects.get(from);
        if (text === undefined) throw new NotFound('OBJECT_NOT_FOUND', `There is no object ${from}.`);
        objects.set(to, text);
      }),
    put: (uri: string, body: string) => through('objects.put', [uri], () => void objects.set(uri, body)),
    delete: (uri: string) => through('objects.delete', [uri], () => void objects.delete(uri)),
  };
}

/** What a tenant's fixed names hold that its live model does not, or the other way round; undefined when they are in line. */
export function outOfLine(objects: Objects, live: LiveModel): string | undefined {
  const root = fixedNamesOf(live.tenantId);
  const data = listed(objects, live.dataUri).map(
    ({ uri }) => [uri, `${root}training_data/${uri.slice(live.dataUri.length)}`] as const,
  );
  const pairs = [
    [live.modelUri, `${root}model.bin`] as const,
    [live.indexUri, `${root}index.faiss`] as const,
    ...data,
  ];
  const wrong = pairs.find(([from, to]) => objects.get(from) !== objects.get(to));
  if (wrong) return `${wrong[1]} holds ${objects.get(wrong[1]) ?? 'nothing'}, not ${objects.get(wrong[0])}`;
  const kept = new Set<string>(pairs.map(([, to]) => to));
  const left = listed(objects, `${root}training_data/`).find(({ uri }) => !kept.has(uri));
  if (left) return `${left.uri} is left of an earlier model`;
  const named = objects.get(`${root}model.json`) ?? '';
  return named.includes(live.modelVersion) ? undefined : `model.json does not name ${live.modelVersion}`;
}
