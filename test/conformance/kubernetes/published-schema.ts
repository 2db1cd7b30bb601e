import type { Transport } from '../../../lib/kubernetes/transport.ts';

/** Kinds that we build or read, and manifests of infra/k8s, by the group that publishes them. */
const publishedKinds: Readonly<Record<string, readonly string[]>> = {
  'api/v1': [
    'Namespace',
    'Pod',
    'Node',
    'ServiceAccount',
    'ResourceQuota',
    'LimitRange',
    'Service',
    'ConfigMap',
  ],
  'apis/apps/v1': ['Deployment'],
  'apis/batch/v1': ['Job'],
  'apis/coordination.k8s.io/v1': ['Lease'],
  'apis/monitoring.coreos.com/v1': ['ServiceMonitor', 'PrometheusRule'],
  'apis/networking.k8s.io/v1': ['NetworkPolicy'],
  'apis/policy/v1': ['PodDisruptionBudget'],
  'apis/rbac.authorization.k8s.io/v1': ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'],
  'apis/scheduling.k8s.io/v1': ['PriorityClass'],
};

type Schema = Record<string, unknown>;

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const pointer = '#/components/schemas/';

/** A schema without what only people read, and closed: a field that the server does not know is a fault, as under `Strict`. */
function tighten(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => tighten(each));
  if (typeof value !== 'object' || value === null) return value;
  const isSchema = key !== 'properties';
  const kept = Object.entries(value).filter(
    ([name]) =>
      !isSchema || !(name === 'description' || name === 'default' || name.startsWith('x-kubernetes')),
  );
  const inner = Object.fromEntries(kept.map(([name, each]) => [name, tighten(each, isSchema ? name : '')]));
  return isSchema && 'properties' in inner && !('additionalProperties' in inner)
    ? { ...inner, additionalProperties: false }
    : inner;
}

function referred(value: unknown, found: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    if (key === '$ref' && typeof each === 'string') found.add(each.slice(pointer.length));
    else referred(each, found);
  }
}

function isRoot(schema: Schema, kinds: readonly string[]): boolean {
  const names = schema['x-kubernetes-group-version-kind'] as { kind: string }[] | undefined;
  return names?.length === 1 && kinds.includes(names[0]?.kind ?? '');
}

/** What the server publishes of these kinds and of everything inside them: one line `{name, kind?, schema}` each, sorted. */
export async function publishedSchema(transport: Transport): Promise<string> {
  const lines = new Map<string, string>();
  for (const [group, kinds] of Object.entries(publishedKinds)) {
    const { body, status } = await transport.send({ method: 'GET', path: `/openapi/v3/${group}` });
    if (status !== 200) throw new Error(`/openapi/v3/${group}: ${status}`);
    const { schemas } = (JSON.parse(body) as Document).components;
    const wanted = Object.keys(schemas).filter((name) => isRoot(schemas[name] ?? {}, kinds));
    if (wanted.length !== kinds.length) throw new Error(`${group} publishes ${wanted.join(', ')} only`);
    for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
      const schema = schemas[name];
      if (lines.has(name) || !schema) continue;
      const kind = isRoot(schema, kinds) ? { kind: name.split('.').at(-1), group } : {};
      lines.set(name, JSON.stringify({ name, ...kind, schema: tighten(schema) }));
      const more = new Set<string>();
      referred(schema, more);
      wanted.push(...more);
    }
  }
  return `${[...lines.values()].sort().join('\n')}\n`;
}
