import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { ApiObject } from './stand-in/objects.ts';

const root = resolve('infra/k8s');

/** One object of infra/k8s and the file it stands in. */
export interface Manifest {
  readonly file: string;
  readonly object: ApiObject;
}

/** Every object of infra/k8s but the kustomizations, namespaces first. */
export function readManifests(): Manifest[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml') && basename(file) !== 'kustomization.yaml')
    .sort();
  const all = files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(root, file), 'utf8'))
      .map((document) => document.toJSON() as ApiObject)
      .filter(Boolean)
      .map((object) => ({ file, object })),
  );
  return all.sort((a, b) => Number(b.object.kind === 'Namespace') - Number(a.object.kind === 'Namespace'));
}

const irregular: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  PriorityClass: 'priorityclasses',
};

/** Path of an object in the API. */
export function pathOf({ apiVersion, kind = '', metadata }: ApiObject): string {
  const base = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${base}${namespace}/${irregular[kind] ?? `${kind.toLowerCase()}s`}/${metadata.name}`;
}
