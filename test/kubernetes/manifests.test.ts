import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { jobNamespace, jobServiceAccount, priorityClasses } from '../../lib/kubernetes/job-labels.ts';
import { jobManifest, keptSeconds } from '../../lib/kubernetes/job-manifest.ts';
import { stages } from '../../lib/training/stages.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';
import { watcherSettings } from '../../watcher/settings.ts';
import { deployment, specOf } from './harness.ts';
import { environments, generatedNames, readManifests, valuesOf } from './manifests.ts';
import { schemaFaults } from './schema.ts';

const manifests = readManifests();
const of = (kind: string) =>
  manifests.filter(({ object }) => object.kind === kind).map(({ object }) => object);
const version = parse(readFileSync('infra/config/infrastructure/prod.yml', 'utf8')).cluster.version as string;

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const rulesOf = (kind: string, name: string) =>
  (
    of(kind).find(({ metadata }) => metadata.name === name) as unknown as { rules: readonly Rule[] }
  ).rules.map(
    ({ resources, verbs, resourceNames }) =>
      `${resources}${resourceNames ? `/${resourceNames}` : ''}: ${verbs}`,
  );

describe('manifests of infra/k8s', () => {
  it('fit the published schema of the cluster version', () => {
    expect(manifests.length).toBeGreaterThan(20);
    expect(
      manifests.flatMap(({ file, object }) => schemaFaults(object).map((fault) => `${file}: ${fault}`)),
    ).toEqual([]);
    expect(existsSync(`test/kubernetes/schema/kubernetes-${version}.jsonl`)).toBe(true);
  });

  it.each(['jobs', 'watcher'])('kustomization of %s names every file beside it', (folder) => {
    const { resources } = parse(readFileSync(`infra/k8s/${folder}/kustomization.yaml`, 'utf8')) as {
      resources: string[];
    };
    const files = readdirSync(`infra/k8s/${folder}`).filter((file) => file !== 'kustomization.yaml');
    expect([...resources].sort()).toEqual(files.sort());
  });

  it.each(environments)(
    'the overlay of %s finds its parts and gives the watcher settings that it takes',
    (environment) => {
      const folder = `infra/k8s/environments/${environment}`;
      const overlay = parse(readFileSync(`${folder}/kustomization.yaml`, 'utf8')) as {
        resources: string[];
        configMapGenerator: { name: string; literals: string[] }[];
      };
      for (const resource of overlay.resources)
        expect(existsSync(join(folder, resource, 'kustomization.yaml'))).toBe(true);
      const literals =
        overlay.configMapGenerator.find(({ name }) => name === 'job-watcher-settings')?.literals ?? [];
      const variables = Object.fromEntries(literals.map((literal) => literal.split('=')));
      const service = parse(readFileSync(`infra/config/${environment}.yml`, 'utf8')) as { region: string };
      expect(watcherSettings({ ...variables, EPSILON_WATCHER_NAME: 'pod' })).toMatchObject({
        environment,
        region: service.region,
        eventBus: `epsilon-${environment}`,
      });
    },
  );

  it.each(environments)(
    'of %s that kustomize generates have names that nothing else has: it would append their hash there too',
    (environment) => {
      const generated = generatedNames(environment);
      expect(generated.length).toBeGreaterThan(0);
      const objects = manifests.map(({ object }) => object);
      const others = [
        ...objects.map(({ metadata }) => metadata.name),
        ...valuesOf(objects, 'resourceNames').flat(),
      ];
      expect(others).toContain('job-watcher');
      expect(generated.filter((name) => others.includes(name))).toEqual([]);
    },
  );

  it.each(environments)(
    'of %s refer to generated settings by the names that kustomize replaces',
    (environment) => {
      const referred = [
        'configMapRef',
        'configMapKeyRef',
        'secretRef',
        'secretKeyRef',
        'configMap',
        'secret',
      ].flatMap((key) =>
        valuesOf(manifests, key).map((reference) => {
          const { name, secretName } = reference as { name?: string; secretName?: string };
          return name ?? secretName;
        }),
      );
      expect(new Set(referred)).toEqual(new Set(generatedNames(environment)));
    },
  );

  it('T8: namespaces enforce the restricted standard, pinned to the cluster version', () => {
    expect(of('Namespace')).toHaveLength(2);
    for (const { metadata } of of('Namespace'))
      for (const mode of ['enforce', 'audit', 'warn']) {
        expect(metadata.labels?.[`pod-security.kubernetes.io/${mode}`]).toBe('restricted');
        expect(metadata.labels?.[`pod-security.kubernetes.io/${mode}-version`]).toBe(`v${version}`);
      }
  });

  it('the job finds in its namespace what it names: service account, priority classes', () => {
    const job = jobManifest(specOf('succeeds', 'x-1'), deployment);
    expect(job.metadata?.namespace).toBe(jobNamespace);
    const accounts = of('ServiceAccount').map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    expect(accounts).toContain(`${jobNamespace}/${jobServiceAccount}`);
    expect(
      of('PriorityClass')
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(priorityClasses.map(({ name }) => name).sort());
    for (const priority of of('PriorityClass')) expect(priority).toMatchObject({ preemptionPolicy: 'Never' });
  });

  it('the quota holds the jobs of 10,000 tenants in a night of six hours, with a fifth more for further tries', () => {
    const [quota] = of('ResourceQuota') as unknown as { spec: { hard: Record<string, string> } }[];
    const perTenant = Object.keys(stages).length;
    const night = 6 * 3_600;
    const keptAtATime = 10_000 * perTenant * 1.2 * Math.min(1, keptSeconds / night);
    expect(perTenant).toBe(5);
    expect(Number(quota?.spec.hard['count/jobs.batch'])).toBeGreaterThanOrEqual(keptAtATime);
  });

  it('training comes after services, in the order of tenants, and the autoscaler still makes nodes for it', () => {
    const values = of('PriorityClass').map((priority) => {
      const { metadata, value } = priority as unknown as { metadata: { name: string }; value: number };
      return { name: metadata.name, value };
    });
    const order = [...values].sort((a, b) => b.value - a.value).map(({ name }) => name);
    expect(order).toEqual(priorityClasses.map(({ name }) => name));
    // 0: pods without a class. -10: cluster-autoscaler's --expendable-pods-priority-cutoff, unless it is set.
    for (const { value } of values) expect([value < 0, value > -10]).toEqual([true, true]);
    expect(readFileSync('infra/argocd/addons/sets/cluster-autoscaler.yml', 'utf8')).not.toContain(
      'expendable-pods-priority-cutoff',
    );
  });

  it('T8: no service account hands its token to pods that do not ask', () => {
    expect(
      of('ServiceAccount').filter(
        (account) =>
          (account as { automountServiceAccountToken?: boolean }).automountServiceAccountToken !== false,
      ),
    ).toEqual([]);
  });

  it('T8: both namespaces let nothing in or out but what is named', () => {
    for (const namespace of ['ml-jobs', 'epsilon']) {
      const policy = of('NetworkPolicy').find(
        ({ metadata }) => metadata.namespace === namespace && metadata.name === 'default-deny',
      );
      expect(policy?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    }
    expect(JSON.stringify(of('NetworkPolicy'))).toContain('"except":["169.254.0.0/16"]');
  });
});

describe('rights', () => {
  it('those of the functions are what they call, and no more', () => {
    expect(rulesOf('Role', 'job-submitters')).toEqual(['jobs: create,get', 'pods: list']);
    expect(rulesOf('Role', 'job-keepers')).toEqual(['jobs: get,list,patch', 'pods: list']);
    expect(rulesOf('ClusterRole', 'epsilon-node-readers')).toEqual(['nodes: list']);
  });

  it('the reconciler may also submit, because it submits what an entry left', () => {
    const bound = [...of('RoleBinding'), ...of('ClusterRoleBinding')].filter((binding) =>
      JSON.stringify(binding).includes('"epsilon:job-reconcilers"'),
    );
    expect(bound.map(({ metadata }) => metadata.name).sort()).toEqual([
      'epsilon-node-readers',
      'job-keepers',
      'job-submitters',
    ]);
  });

  it('the watcher looks at jobs and pods, and holds its own lease', () => {
    expect(rulesOf('Role', 'job-watcher')).toEqual(['jobs: get,list,watch', 'pods: get,list,watch']);
    expect(rulesOf('Role', 'job-watcher-lease')).toEqual(['leases/job-watcher: get,update']);
    expect(of('Lease').map(({ metadata }) => metadata.name)).toEqual(['job-watcher']);
  });

  it('nobody has a wildcard, secrets, or pods to make', () => {
    const rules = manifests.flatMap(
      ({ object }) => (object as unknown as { rules?: readonly Rule[] }).rules ?? [],
    );
    expect(rules.length).toBeGreaterThan(6);
    for (const { apiGroups, resources, verbs } of rules) {
      expect(
        [...apiGroups, ...resources, ...verbs].filter((word) => word.includes('*') || word === 'secrets'),
      ).toEqual([]);
      if (resources.includes('pods')) expect(verbs).not.toContain('create');
    }
  });

  it('groups are those that the access entries of the functions name', () => {
    const functions = readYaml('infra/serverless/functions.yml') as Record<string, { cluster?: string }>;
    const named = new Set(
      Object.values(functions).flatMap(({ cluster }) =>
        cluster === undefined ? [] : [`epsilon:${cluster}`],
      ),
    );
    const bound = new Set(
      [...of('RoleBinding'), ...of('ClusterRoleBinding')].flatMap((binding) =>
        (binding as unknown as { subjects: { kind: string; name: string }[] }).subjects.flatMap(
          ({ kind, name }) => (kind === 'Group' ? [name] : []),
        ),
      ),
    );
    expect([...bound].sort()).toEqual([...named].sort());
    expect(bound.size).toBe(4);
  });
});

describe('the watcher', () => {
  const [deployment] = of('Deployment') as unknown as {
    spec: {
      replicas: number;
      template: { spec: Record<string, unknown> & { containers: Record<string, unknown>[] } };
    };
  }[];

  it('is two replicas that meet the restricted standard, with limits and probes', () => {
    expect(deployment?.spec.replicas).toBe(2);
    expect(deployment?.spec.template.spec).toMatchObject({
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          livenessProbe: { httpGet: { path: '/healthz' } },
          readinessProbe: { httpGet: { path: '/readyz' } },
          resources: { limits: { memory: '256Mi' } },
        },
      ],
    });
  });

  it('has an image that starts its entry point, as nobody, from a base that only a digest can name', () => {
    const dockerfile = readFileSync('watcher/Dockerfile', 'utf8');
    expect(dockerfile).toContain('ENTRYPOINT ["node", "watcher/main.ts"]');
    expect(existsSync('watcher/main.ts')).toBe(true);
    expect(dockerfile.match(/^FROM (\S+)/gm)).toEqual(['FROM ${NODE_IMAGE}', 'FROM ${NODE_IMAGE}']);
    expect(dockerfile).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
  });

  it('keeps one replica through a drain, but no node from being drained while none is ready', () => {
    expect(of('PodDisruptionBudget')).toMatchObject([
      { spec: { minAvailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' } },
    ]);
  });

  it('is watched by Prometheus, by metrics that it has, under the labels of its service', () => {
    const [service] = of('Service');
    const [monitor] = of('ServiceMonitor') as unknown as {
      spec: {
        selector: { matchLabels: Record<string, string> };
        endpoints: { port: string; path: string }[];
      };
    }[];
    expect(service?.metadata.labels).toMatchObject(monitor?.spec.selector.matchLabels ?? { none: 'none' });
    expect(monitor?.spec.endpoints).toMatchObject([{ port: 'http', path: '/metrics' }]);
    const documented = readFileSync('docs/kubernetes.md', 'utf8');
    const asked = valuesOf(of('PrometheusRule'), 'expr').flatMap((expr) =>
      [...String(expr).matchAll(/epsilon_\w+/g)].map(([name]) => name),
    );
    expect(asked.length).toBeGreaterThan(3);
    for (const name of asked) expect(documented).toContain(`| \`${name}`);
  });

  it('refuses to start without its settings, naming the variable', () => {
    expect(() => watcherSettings({})).toThrow('EPSILON_ENVIRONMENT');
  });
});
