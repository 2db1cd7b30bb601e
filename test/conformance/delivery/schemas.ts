import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type parse, parseAllDocuments } from 'yaml';
import { moduleFolder } from '../kubernetes/build.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Modules whose versions are those that infra/argocd installs and infra/config names. */
export const schemaModules = {
  kubernetes: 'k8s.io/kubernetes@v1.35.4',
  argoCd: 'github.com/argoproj/argo-cd/v3@v3.2.0',
  rollouts: 'github.com/argoproj/argo-rollouts@v1.10.2',
  monitoring: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
  // Of the kinds at v1, which the chart's version serves, too: its own module has a number that the Go proxy cannot give.
  externalSecrets: 'github.com/external-secrets/external-secrets@v1.3.2',
};
/** The toolchain that Argo Rollouts asks for. */
export const newerGo = 'go1.26.10';

/** Every object is closed, as a strict API server has it, and a value that may be number or text may be both. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const own = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value)]),
  ) as Schema;
  if (own['format'] === 'int-or-string') return { type: ['string', 'integer'] };
  const open = own['x-kubernetes-preserve-unknown-fields'] === true || 'additionalProperties' in own;
  return typeof own['properties'] === 'object' && own['type'] === 'object' && !open
    ? { ...own, additionalProperties: false }
    : own;
}

/** A definition and all that it refers to, so that one file is enough. */
function reachable(definitions: Readonly<Record<string, unknown>>, name: string): Schema {
  const found = new Map<string, unknown>();
  const visit = (one: string) => {
    if (found.has(one)) return;
    found.set(one, definitions[one]);
    for (const [, next = ''] of JSON.stringify(definitions[one]).matchAll(/"#\/definitions\/([^"]+)"/g))
      visit(next);
  };
  visit(name);
  return { definitions: Object.fromEntries(found), $ref: `#/definitions/${name}` };
}

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

function write(folder: string, { group, version, kind }: Kind, schema: Schema): void {
  // kubeconform takes what is before the slash of `apiVersion`: for the core group its version.
  const below = group === '' ? version : group;
  mkdirSync(join(folder, below), { recursive: true });
  writeFileSync(join(folder, below, `${kind.toLowerCase()}_${version}.json`), JSON.stringify(schema));
}

function writeKubernetes(folder: string, wanted: ReadonlySet<string>): void {
  const file = join(moduleFolder(schemaModules.kubernetes), 'api/openapi-spec/swagger.json');
  const swagger = JSON.parse(readFileSync(file, 'utf8')) as { definitions: Record<string, unknown> };
  const definitions = closed(swagger.definitions) as Record<string, unknown>;
  for (const [name, one] of Object.entries(definitions)) {
    const kinds = ((one as Schema)['x-kubernetes-group-version-kind'] ?? []) as Kind[];
    const [kind] = kinds;
    if (kinds.length === 1 && kind && wanted.has(kind.kind))
      write(folder, kind, reachable(definitions, name));
  }
}

/** Files that define kinds. */
export const definitionFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name) && name !== 'kustomization.yaml')
    .map((name) => join(folder, name));

function writeDefinitions(folder: string, from: string): void {
  for (const file of definitionFiles(from)) {
    for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
      const { spec } = (document.toJSON() ?? {}) as ReturnType<typeof parse>;
      for (const { name, schema } of spec?.versions ?? [])
        write(
          folder,
          { group: spec.group, version: name, kind: spec.names.kind },
          closed(schema.openAPIV3Schema) as Schema,
        );
    }
  }
}

/** A folder with a schema for each kind: Kubernetes's own that are wanted, Argo CD's, Rollouts', those of the operator of Prometheus and of external-secrets. */
export function writeSchemas(wanted: ReadonlySet<string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-schemas-'));
  writeKubernetes(folder, wanted);
  writeDefinitions(folder, join(moduleFolder(schemaModules.argoCd), 'manifests/crds'));
  writeDefinitions(folder, join(moduleFolder(schemaModules.rollouts, newerGo), 'manifests/crds'));
  writeDefinitions(folder, join(moduleFolder(schemaModules.monitoring), 'example/prometheus-operator-crd'));
  writeDefinitions(folder, join(moduleFolder(schemaModules.externalSecrets), 'config/crds/bases'));
  return folder;
}
