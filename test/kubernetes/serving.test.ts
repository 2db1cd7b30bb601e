import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { ssmParameterName } from '../../lib/config/ssm-parameters.ts';

interface Thing {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Tree;
}
/** A tree of YAML, which tests walk by name. */
type Tree = ReturnType<typeof parse>;

const documents = (path: string) =>
  parseAllDocuments(readFileSync(path, 'utf8')).map((one) => one.toJSON() as Thing);
const folder = 'infra/k8s/serving/base';
const base = readdirSync(folder)
  .filter((file) => file !== 'kustomization.yaml')
  .flatMap((file) => documents(join(folder, file)));
const named = (kind: string, name: string): Tree =>
  base.find((one) => one.kind === kind && one.metadata.name === name)?.spec ?? {};
const infrastructure = parse(readFileSync('infra/config/infrastructure/prod.yml', 'utf8')) as Tree;
const services = ['backend-api', 'ml-engine'] as const;
const largest = 20;

/** vCPU or MiB of a Kubernetes quantity. */
function amount(quantity: string): number {
  const [, value = '', unit = ''] = /^(\d+)(m|Mi|Gi)?$/.exec(quantity) ?? [];
  return Number(value) * { m: 0.001, Mi: 1, Gi: 1_024, '': 1 }[unit as 'm'];
}

const requestsOf = (service: string) =>
  named('Rollout', service)['template'].spec.containers[0].resources.requests as Record<
    'cpu' | 'memory',
    string
  >;

describe('namespaces of the specification', () => {
  it('are production, staging and ml-jobs', () => {
    const files = [
      'infra/k8s/serving/production/namespace.yaml',
      'infra/k8s/serving/staging/namespace.yaml',
      'infra/k8s/jobs/namespace.yaml',
    ];
    expect(files.flatMap(documents).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Namespace production',
      'Namespace staging',
      'Namespace ml-jobs',
    ]);
  });
});

describe('production and staging', () => {
  it('enforce the restricted standard, pinned to the version of the cluster', () => {
    const { version } = infrastructure['cluster'] as { version: string };
    for (const place of ['production', 'staging']) {
      const [namespace] = documents(`infra/k8s/serving/${place}/namespace.yaml`);
      for (const mode of ['enforce', 'audit', 'warn'])
        expect(namespace?.metadata).toMatchObject({
          labels: {
            [`pod-security.kubernetes.io/${mode}`]: 'restricted',
            [`pod-security.kubernetes.io/${mode}-version`]: `v${version}`,
          },
        });
    }
  });

  it('have quota, limit range, and a priority above all training', () => {
    const kinds = base.map(({ kind }) => kind);
    for (const kind of ['ResourceQuota', 'LimitRange']) expect(kinds).toContain(kind);
    const priorityOf = (one: Thing | undefined) => (one as unknown as { value: number }).value;
    const training = documents('infra/k8s/jobs/priority-classes.yaml').map(priorityOf);
    expect(training.length).toBeGreaterThan(2);
    const serving = priorityOf(base.find(({ kind }) => kind === 'PriorityClass'));
    for (const one of training) expect(serving).toBeGreaterThan(one);
    for (const service of services)
      expect(named('Rollout', service)['template'].spec.priorityClassName).toBe('serving');
  });
});

describe.each(services)('%s', (service) => {
  const rollout = named('Rollout', service);
  const { blueGreen } = rollout['strategy'];

  it('has an autoscaler with the numbers of the specification, on the Rollout', () => {
    expect(named('HorizontalPodAutoscaler', `${service}-hpa`)).toEqual({
      scaleTargetRef: { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name: service },
      minReplicas: 3,
      maxReplicas: largest,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
        },
        {
          type: 'Resource',
          resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } },
        },
      ],
      behavior: {
        scaleDown: { stabilizationWindowSeconds: 300 },
        scaleUp: { stabilizationWindowSeconds: 60 },
      },
    });
  });

  it('leaves the number of replicas to the autoscaler, of both colours', () => {
    expect(rollout).not.toHaveProperty('replicas');
    expect(blueGreen).not.toHaveProperty('previewReplicaCount');
  });

  it('goes live after an analysis and is watched for five minutes after, while the old colour stays', () => {
    expect(blueGreen).toMatchObject({ activeService: service, previewService: `${service}-preview` });
    expect(blueGreen.prePromotionAnalysis.templates).toEqual([{ templateName: 'before-promotion' }]);
    expect(blueGreen.postPromotionAnalysis.templates).toEqual([{ templateName: 'after-promotion' }]);
    const [, watched] = named('AnalysisTemplate', 'after-promotion')['metrics'];
    const seconds =
      (watched.count - 1) * Number.parseInt(watched.interval, 10) + Number.parseInt(watched.initialDelay, 10);
    expect(seconds).toBe(300);
    expect(blueGreen.scaleDownDelaySeconds).toBeGreaterThan(seconds);
  });

  it('has time to start and to be judged before its deadline, which is before the five minutes of a release', () => {
    const [job, rate] = named('AnalysisTemplate', 'before-promotion')['metrics'];
    const judged = Math.max(
      job.provider.job.spec.activeDeadlineSeconds,
      Number.parseInt(rate.initialDelay, 10),
    );
    expect(rollout['progressDeadlineSeconds']).toBeGreaterThan(judged + 60);
    expect(rollout['progressDeadlineSeconds']).toBeLessThan(300);
    expect(rollout['rollbackWindow']).toEqual({ revisions: 2 });
  });

  it('is found by its Services and its disruption budget, which leaves nodes drainable', () => {
    const labels = rollout['template'].metadata.labels;
    for (const name of [service, `${service}-preview`])
      expect(labels).toMatchObject(named('Service', name)['selector']);
    expect(named('PodDisruptionBudget', service)).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { 'app.kubernetes.io/name': service } },
    });
  });

  it('finds room for both colours at the maximum on the nodes of its group', () => {
    // What the kubelet, the system and the daemons of a node leave, by EKS's own reservation (t3.large, c5.2xlarge).
    const left = service === 'backend-api' ? { cpu: 1.75, memory: 6_500 } : { cpu: 7.6, memory: 13_300 };
    const group = infrastructure['nodeGroups'][service === 'backend-api' ? 'general' : 'ml_workloads'];
    const { cpu, memory } = requestsOf(service);
    const onNode = Math.min(Math.floor(left.cpu / amount(cpu)), Math.floor(left.memory / amount(memory)));
    expect(onNode * group.maxSize).toBeGreaterThanOrEqual(2 * largest);
  });
});

describe('analyses', () => {
  it('fail without data, and look at the pods of the new colour alone', () => {
    const metrics = ['before-promotion', 'after-promotion'].flatMap(
      (name) => named('AnalysisTemplate', name)['metrics'] as Tree[],
    );
    const queries = metrics.filter(({ provider }) => provider.prometheus);
    expect(queries).toHaveLength(2);
    for (const { successCondition, provider } of queries) {
      expect(successCondition).toContain('len(result) == 1 && !isNaN(result[0])');
      expect(
        provider.prometheus.query.match(/rollouts_pod_template_hash="\{\{args\.hash\}\}"/g),
      ).toHaveLength(2);
    }
  });

  it('send the preview at least 200 requests, by a Job that is judged by its exit code', () => {
    const [job] = named('AnalysisTemplate', 'before-promotion')['metrics'];
    const [container] = job.provider.job.spec.template.spec.containers;
    expect(Number(container.args[1])).toBeGreaterThanOrEqual(200);
    expect(job.provider.job.spec).toMatchObject({ backoffLimit: 0 });
    expect(existsSync('serving/smoke.ts')).toBe(true);
  });
});

describe('the network', () => {
  it('lets nothing in or out of the namespace but what is named, and never to the metadata of an instance', () => {
    expect(named('NetworkPolicy', 'default-deny')).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
    const policies = base.filter(({ kind }) => kind === 'NetworkPolicy').map(({ spec }) => spec);
    const everywhere = JSON.stringify(policies).match(/\{"cidr":"0\.0\.0\.0\/0"[^}]*\}/g) ?? [];
    expect(everywhere).toEqual(['{"cidr":"0.0.0.0/0","except":["169.254.0.0/16"]}']);
  });
});

describe.each([
  ['production', 'prod'],
  ['staging', 'staging'],
])('what the overlay of %s fills in', (namespace, environment) => {
  interface Patch {
    readonly target: { readonly kind: string };
    readonly patch: string;
  }
  const { patches } = parse(readFileSync(`infra/k8s/serving/${namespace}/kustomization.yaml`, 'utf8')) as {
    readonly patches: readonly Patch[];
  };
  const { region } = parse(readFileSync(`infra/config/${environment}.yml`, 'utf8')) as { region: string };
  const valuesFor = (kind: string) =>
    patches
      .filter(({ target }) => target.kind === kind)
      .flatMap(({ patch }) => parse(patch) as { readonly path: string; readonly value: unknown }[]);

  it("are the environment's own region, table, secret and parameter", () => {
    expect(valuesFor('SecretStore').map(({ value }) => value)).toEqual([region]);
    expect(valuesFor('Rollout').map(({ value }) => value)).toEqual([
      { name: 'AWS_REGION', value: region },
      { name: 'TABLE', value: `epsilon-${environment}` },
    ]);
    // By place in the list: the token is a secret, the host a parameter.
    const keys = valuesFor('ExternalSecret');
    expect(keys.map(({ path }) => path)).toEqual([0, 1].map((at) => `/spec/data/${at}/remoteRef/key`));
    expect(keys.map(({ value }) => value)).toEqual([
      `epsilon/${environment}/redis`,
      ssmParameterName(environment, 'redis/endpoint'),
    ]);
  });
});

describe('a change of the schema', () => {
  const [job] = base.filter(({ kind }) => kind === 'Job');

  it('comes before anything else of a sync, and no other hook could take it back after a rollback', () => {
    const hooks = base.flatMap(({ kind, metadata }) => {
      const { annotations = {} } = metadata as { annotations?: Readonly<Record<string, string>> };
      const hook = annotations['argocd.argoproj.io/hook'];
      return hook === undefined ? [] : [`${kind} ${metadata.name}: ${hook}`];
    });
    expect(hooks).toEqual(['Job schema-change: PreSync']);
    expect(job?.spec).toMatchObject({ backoffLimit: 0 });
    // A sync of a release waits 120 seconds.
    expect(job?.spec['activeDeadlineSeconds']).toBeLessThan(120);
  });

  it('is made by the image that comes, and needs nothing that the first sync of a cluster applies after it', () => {
    const pod = job?.spec['template'].spec as Tree;
    expect(pod).toMatchObject({
      serviceAccountName: 'default',
      containers: [{ image: 'backend-api', args: ['schema'] }],
    });
    for (const key of ['priorityClassName', 'volumes']) expect(pod).not.toHaveProperty(key);
    expect(named('NetworkPolicy', 'schema-change')['podSelector']).toEqual({
      matchLabels: { 'app.kubernetes.io/name': 'schema-change' },
    });
  });

  it('may be asked for again and again: a rollback asks the older image, which has nothing to add', async () => {
    for (const [word, code] of [
      ['schema', 0],
      ['schema', 0],
      ['backwards', 2],
    ] as const) {
      const child = spawn(process.execPath, ['serving/main.ts', word], { stdio: 'ignore' });
      expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(code);
    }
  });
});

describe("the cache's token", () => {
  const secret = named('ExternalSecret', 'ml-engine-cache');

  it('is taken from Secrets Manager, its host from Parameter Store, without a key of AWS anywhere', () => {
    const stores = base.filter(({ kind }) => kind === 'SecretStore');
    const services = stores.map(({ metadata, spec }) => [metadata.name, spec['provider'].aws]);
    expect(services).toEqual([
      ['secrets-manager', { service: 'SecretsManager' }],
      ['parameter-store', { service: 'ParameterStore' }],
    ]);
    expect(
      secret['data'].map(({ secretKey, sourceRef }: Tree) => [secretKey, sourceRef.storeRef.name]),
    ).toEqual([
      ['token', 'secrets-manager'],
      ['host', 'parameter-store'],
    ]);
  });

  it('reaches ml-engine as files that it reads for each connection, and it starts without them', () => {
    const { containers, volumes } = named('Rollout', 'ml-engine')['template'].spec;
    expect(volumes).toEqual([
      { name: 'cache', secret: { secretName: secret['target'].name, optional: true } },
    ]);
    const [{ mountPath }] = containers[0].volumeMounts;
    expect(containers[0].env).toEqual([{ name: 'CACHE_SECRET', value: mountPath }]);
    expect(Object.keys(secret['target'].template.data).sort()).toEqual(['token', 'url']);
    for (const file of ['token', 'url'])
      expect(readFileSync('serving/ml-engine/from-aws.ts', 'utf8')).toContain(`read('${file}')`);
  });
});

describe('the quota', () => {
  it('holds both colours of both applications at the maximum, and the Jobs', () => {
    const { hard } = named('ResourceQuota', 'serving');
    const all = (of: 'cpu' | 'memory') =>
      services.reduce((sum, service) => sum + 2 * largest * amount(requestsOf(service)[of]), 0);
    expect(Number(hard.pods)).toBeGreaterThanOrEqual(2 * 2 * largest + 2);
    expect(amount(hard['requests.cpu'])).toBeGreaterThanOrEqual(all('cpu') + 0.2);
    expect(amount(hard['requests.memory'])).toBeGreaterThanOrEqual(all('memory') + 256);
  });
});

describe.each(['production', 'staging'])('Argo CD application of %s', (environment) => {
  const [application] = documents(`infra/argocd/applications/${environment}/${environment}-app.yaml`);
  const spec: Tree = application?.spec ?? {};

  it('is the one of the specification: name, namespace, prune, self-heal, CreateNamespace', () => {
    expect(application?.metadata).toEqual({ name: `embeddings-saas-${environment}`, namespace: 'argocd' });
    expect(spec['destination']).toEqual({ server: 'https://kubernetes.default.svc', namespace: environment });
    expect(spec['syncPolicy'].automated).toEqual({ prune: true, selfHeal: true });
    expect(spec['syncPolicy'].syncOptions).toContain('CreateNamespace=true');
    expect(spec['syncPolicy'].retry).toEqual({
      limit: 5,
      backoff: { duration: '10s', factor: 2, maxDuration: '3m' },
    });
    expect(existsSync(join(spec['source'].path, 'kustomization.yaml'))).toBe(true);
  });

  it('follows the ref that a release moves, and never main', () => {
    expect(spec['source'].targetRevision).toBe(`release/${environment}`);
    const [root] = documents(`infra/argocd/roots/${environment}.yaml`);
    expect(root?.spec['source'].targetRevision).toBe(`release/${environment}`);
    expect(existsSync(join(root?.spec['source'].path, 'kustomization.yaml'))).toBe(true);
  });

  it('applies client-side, so that the colour stays in the selectors of the Services', () => {
    expect(JSON.stringify(spec['syncPolicy'])).not.toMatch(/ServerSideApply|Replace/);
  });

  it("leaves the autoscaler's floor to the forecast", () => {
    expect(spec['ignoreDifferences']).toEqual([
      { group: 'autoscaling', kind: 'HorizontalPodAutoscaler', jsonPointers: ['/spec/minReplicas'] },
    ]);
    expect(spec['syncPolicy'].syncOptions).toContain('RespectIgnoreDifferences=true');
  });
});

describe('the project of Argo CD', () => {
  const [project] = documents('infra/argocd/project/project.yaml');

  it('closes production while tenants are trained, but not to a rollback', () => {
    expect(project?.spec['sourceRepos']).toEqual(['https://github.com/yourorg/embeddings-saas']);
    expect(project?.spec['syncWindows']).toMatchObject([
      { kind: 'deny', manualSync: true, applications: ['embeddings-saas-production'] },
    ]);
  });

  it('lets applications have the kinds that they have, and no other', () => {
    const { clusterResourceWhitelist, namespaceResourceWhitelist } = project?.spec ?? {};
    const allowed = [...clusterResourceWhitelist, ...namespaceResourceWhitelist].map(
      ({ kind }: { kind: string }) => kind,
    );
    expect([...new Set(['Namespace', ...base.map(({ kind }) => kind)])].sort()).toEqual(allowed.sort());
  });
});

describe('scrape jobs', () => {
  const set = parse(readFileSync('infra/argocd/addons/sets/kube-prometheus-stack.yml', 'utf8')) as Tree;
  const prometheus = set['spec'].template.spec.source.helm.valuesObject.prometheus.prometheusSpec as Tree;

  it('are those of the specification, every 15 seconds', () => {
    expect(prometheus).toMatchObject({ scrapeInterval: '15s', evaluationInterval: '15s' });
    expect(prometheus['additionalScrapeConfigs'].map((job: Tree) => job['job_name'])).toEqual([
      'kubernetes-pods',
      ...services,
    ]);
  });

  it('read no pod twice: what a job of its own reads has no annotation, and no ServiceMonitor', () => {
    for (const service of services)
      expect(JSON.stringify(named('Rollout', service)['template'].metadata)).not.toContain('prometheus.io');
    expect(base.map(({ kind }) => kind)).not.toContain('ServiceMonitor');
  });
});
