import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { hpaReplicaFloor } from '../../../lib/kubernetes/replica-floor.ts';
import { replicaFloorContract } from '../../contract/replica-floor.ts';
import { type Attached, attach } from './attach.ts';
import type { Who } from './control-plane.ts';

/** The HPA's object in the real API server: git's, Argo CD's and ours of one field. */
let cluster: Attached;
const folder = mkdtempSync(join(tmpdir(), 'epsilon-capacity-'));
const name = 'backend-api-hpa';

interface Hpa {
  readonly metadata: {
    name: string;
    readonly managedFields?: readonly { readonly manager: string; readonly fieldsV1: unknown }[];
  };
  readonly spec: { minReplicas?: number; readonly maxReplicas: number };
}

const said = (...args: string[]): string => {
  const { status, text } = cluster.kubectl(...args);
  if (status !== 0) throw new Error(text);
  return text;
};

/** git's object, as kustomize builds it. */
function fromGit(): Hpa {
  const objects = parseAllDocuments(said('kustomize', 'infra/k8s/serving/production')).map(
    (document) => document.toJSON() as Hpa & { readonly kind: string },
  );
  const found = objects.find(
    ({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name === name,
  );
  if (!found) throw new Error(`git has no ${name}`);
  return found;
}

let files = 0;
function apply(object: object, ...flags: string[]): void {
  files += 1;
  const file = join(folder, `${files}.json`);
  writeFileSync(file, JSON.stringify(object));
  said('apply', ...flags, '-f', file);
}

const live = (of = name) =>
  JSON.parse(said('-n', 'production', 'get', 'hpa', of, '-o', 'json', '--show-managed-fields')) as Hpa;

const floorOf = (who: Who, of = name) =>
  hpaReplicaFloor(cluster.transport(who), { namespace: 'production', name: of });

const raised = { minReplicas: 11, expiresAt: '2026-11-24T09:20:00.000Z', because: 'ramp' };

function without({ spec, ...object }: Hpa): object {
  const { minReplicas: _, ...rest } = spec;
  return { ...object, spec: rest };
}

beforeAll(() => {
  cluster = attach();
  said('apply', '--server-side', '-f', 'infra/k8s/serving/production/namespace.yaml');
  said('apply', '--server-side', '-k', 'infra/k8s/capacity');
});

afterAll(() => cluster.close());

let made = 0;
replicaFloorContract('a HorizontalPodAutoscaler of a real API server', () => {
  made += 1;
  const object = fromGit();
  apply({ ...object, metadata: { ...object.metadata, name: `contract-${made}` } });
  return floorOf('admin', `contract-${made}`);
});

describe('least replicas in a real API server', () => {
  it('value that was set stays when git is applied server-side without that path', async () => {
    const argo = ['--server-side', '--field-manager=argocd-controller'];
    apply(fromGit(), ...argo);
    await floorOf('capacity').set(raised);
    expect(live().spec.minReplicas).toBe(11);
    apply(without(fromGit()), ...argo);
    // The server adds its own policies of scaling.
    expect(live().spec).toMatchObject({ ...fromGit().spec, minReplicas: 11 });
    said('-n', 'production', 'delete', 'hpa', name);
  });

  it('value that was set stays when git is applied as Argo CD does it, with what it ignores as it is, and can be set again', async () => {
    apply(fromGit());
    await floorOf('capacity').set(raised);
    apply({ ...fromGit(), spec: { ...fromGit().spec, minReplicas: live().spec.minReplicas } });
    expect(await floorOf('capacity').current()).toMatchObject(raised);
    await floorOf('capacity').set({ minReplicas: 5 });
    expect(live().spec).toMatchObject({ ...fromGit().spec, minReplicas: 5 });
  });

  it('what is set is one field and its annotations, and nothing else of the object is owned', () => {
    const ours = live().metadata.managedFields?.find(({ manager }) => manager === 'epsilon-scaling');
    // Annotations that say why: none is left once a value is set without.
    expect(ours?.fieldsV1).toEqual({
      'f:metadata': { 'f:annotations': {} },
      'f:spec': { 'f:minReplicas': {} },
    });
  });

  it('number above the maximum is refused by the server, and what is there stays', async () => {
    await expect(floorOf('capacity').set({ minReplicas: 21 })).rejects.toThrow();
    expect(live().spec.minReplicas).toBe(5);
  });

  it('function that sets it reaches no other autoscaler, and makes none', async () => {
    await expect(floorOf('capacity', 'ml-engine-hpa').current()).rejects.toMatchObject({
      code: 'KUBERNETES_ACCESS_DENIED',
    });
    await expect(floorOf('nobody').current()).rejects.toMatchObject({ code: 'KUBERNETES_ACCESS_DENIED' });
    said('-n', 'production', 'delete', 'hpa', name);
    await expect(floorOf('capacity').set({ minReplicas: 5 })).rejects.toMatchObject({
      code: 'AUTOSCALER_NOT_FOUND',
    });
  });
});
