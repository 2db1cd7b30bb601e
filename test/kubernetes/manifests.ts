import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { ApiObject } from './stand-in/objects.ts';

const root = resolve('infra/k8s');

/** Environments that infra/k8s/environments has an overlay for. */
export const environments = ['dev', 'staging', 'prod'] as const;

/** One object of infra/k8s and the file it stands in. */
export interface Manifest {
  readonly file: string;
  readonly object: ApiObject;
}

/** Every object of infra/k8s but the kustomizations and the serving applications, which are applied in another way; namespaces first. */
export function readManifests(): Manifest[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(
      (file) =>
        file.endsWith('.yaml') && basename(file) !== 'kustomization.yaml' && !file.startsWith('serving/'),
    )
    .sort();
  const all = files.flatMap((file) =>
    objectsOf(readFileSync(join(root, file), 'utf8')).map((object) => ({ file, object })),
  );
  return all.sort((a, b) => Number(b.object.kind === 'Namespace') - Number(a.object.kind === 'Namespace'));
}

/** Objects of a YAML stream, as a file or as kustomize's output. */
export function objectsOf(text: string): ApiObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJSON() as ApiObject)
    .filter(Boolean);
}

/** Names of the ConfigMaps and Secrets that the overlay of an environment has kustomize generate, before their hash. */
export function generatedNames(environment: (typeof environments)[number]): string[] {
  type Generators = { readonly name: string }[] | undefined;
  const overlay = parse(
    readFileSync(join(root, 'environments', environment, 'kustomization.yaml'), 'utf8'),
  ) as Readonly<Record<string, Generators>>;
  return ['configMapGenerator', 'secretGenerator'].flatMap((key) =>
    (overlay[key] ?? []).map(({ name }) => name),
  );
}

/** Every value under a key, however deep. */
export function valuesOf(value: unknown, key: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name === key ? [inner] : []),
    ...valuesOf(inner, key),
  ]);
}
