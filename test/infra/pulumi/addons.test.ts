import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { evaluate, ofType, type Registered } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { at, statementsOf } from '../../../infra/pulumi/policy/statements.ts';
import { ssmParameters } from '../../../lib/config/ssm-parameters.ts';
import { readManifests } from '../../kubernetes/manifests.ts';
import { nodesToCome } from './group-at-zero.ts';
import { permits } from './iam.ts';

const folder = new URL('../../../infra/argocd/addons/', import.meta.url);
const sets = readdirSync(new URL('sets/', folder))
  .map((name) => parse(readFileSync(new URL(`sets/${name}`, folder), 'utf8')) as Record<string, unknown>)
  .filter(({ kind }) => kind === 'ApplicationSet');
const source = (set: unknown, key: string) => at(set, `spec.template.spec.source.${key}`);
let resources: Registered[] = [];

beforeAll(async () => {
  resources = await evaluate(settingsOf('dev'));
});

describe('add-ons', () => {
  it('covers everything the platform relies on, by EKS or by Argo CD', () => {
    // Act
    const managed = ofType(resources, 'eks/addon:Addon').map(({ inputs }) => String(inputs['addonName']));
    const charts = sets.map((set) => String(source(set, 'chart')));

    // Assess
    expect(managed.sort()).toEqual([
      'aws-ebs-csi-driver',
      'coredns',
      'eks-pod-identity-agent',
      'kube-proxy',
      'metrics-server',
      'vpc-cni',
    ]);
    expect(charts.sort()).toEqual([
      'argo-rollouts',
      'aws-for-fluent-bit',
      'aws-load-balancer-controller',
      'aws-node-termination-handler',
      'cluster-autoscaler',
      'external-secrets',
      'kube-prometheus-stack',
    ]);
  });

  it('pins every chart and Argo CD to one version', () => {
    for (const set of sets) expect(String(source(set, 'targetRevision'))).toMatch(/^\d+\.\d+\.\d+$/);
    const own = readFileSync(new URL('argo-cd/kustomization.yaml', folder), 'utf8');
    const from = readFileSync(new URL('argo-cd/install.url', folder), 'utf8');
    expect(from).toMatch(/^https:\S+\/argo-cd\/v\d+\.\d+\.\d+\/manifests\/ha\/install\.yaml\n$/);
    expect(own).not.toContain('http:');
    expect(readFileSync(new URL('argo-cd/install.sha256', folder), 'utf8')).toMatch(
      /^[0-9a-f]{64} {2}install\.yaml\n$/,
    );
  });

  it('gives each associated service account the name and namespace its chart or manifest uses', () => {
    // Prepare
    const used = sets.flatMap((set) => {
      const accounts = [
        'serviceAccount',
        'rbac.serviceAccount',
        'alertmanager.serviceAccount',
        'grafana.serviceAccount',
      ]
        .map((place) => source(set, `helm.valuesObject.${place}.name`))
        .filter((account) => account !== undefined);
      return accounts.map((account) => `${at(set, 'spec.template.spec.destination.namespace')}/${account}`);
    });

    const ours = readManifests()
      .filter(({ object }) => object.kind === 'ServiceAccount' && object.metadata.name !== 'default')
      .map(({ object }) => `${object.metadata.namespace}/${object.metadata.name}`);

    // Act
    const associated = ofType(resources, 'eks/podIdentityAssociation:PodIdentityAssociation').map(
      ({ inputs }) => `${inputs['namespace']}/${inputs['serviceAccount']}`,
    );

    // Assess
    expect(associated.sort()).toEqual([...used, ...ours].sort());
  });

  it('external-secrets reads what pods are given, and ml-engine live models and their records, no more', async () => {
    // Prepare
    const here = 'us-west-2:123456789012';
    const prod = await evaluate(settingsOf('prod'));
    const may = (part: string, action: string, resource: string, facts = {}) => {
      const [policy] = ofType(prod, 'iam/rolePolicy:RolePolicy').filter(
        ({ name }) => name === `epsilon-prod-${part}`,
      );
      return permits(statementsOf(policy?.inputs['policy']), { action, resource, facts });
    };
    const secret = (name: string) =>
      may(
        'external-secrets',
        'secretsmanager:GetSecretValue',
        `arn:aws:secretsmanager:${here}:secret:${name}`,
      );
    const item = (key: string) =>
      may('ml-engine', 'dynamodb:GetItem', `arn:aws:dynamodb:${here}:table/epsilon-prod`, {
        'dynamodb:LeadingKeys': [key],
      });
    const object = (action: string, key: string) =>
      may('ml-engine', action, `arn:aws:s3:::embeddings-saas-data/${key}`);

    // Act, assess
    expect(
      ofType(prod, 'eks/podIdentityAssociation:PodIdentityAssociation')
        .map(({ inputs }) => `${inputs['namespace']}/${inputs['serviceAccount']}`)
        .filter((name) => name.endsWith('/ml-engine')),
    ).toEqual(['production/ml-engine']);
    expect(
      ['redis-AbCdEf', 'release-app-key-AbCdEf', 'redis-AbCdEf-other'].map((name) =>
        secret(`epsilon/prod/${name}`),
      ),
    ).toEqual([true, false, false]);
    expect(secret('epsilon/staging/redis-AbCdEf')).toBe(false);
    expect(['TENANT#acme', 'RUN#acme-1', 'TOKENKEY#1'].map(item)).toEqual([true, false, false]);
    expect(object('s3:GetObject', 'acme/runs/acme-1/train/1/model.bin')).toBe(true);
    expect(object('s3:GetObject', 'acme/documents/secret.txt')).toBe(false);
    expect(object('s3:PutObject', 'acme/runs/acme-1/train/1/model.bin')).toBe(false);
  });

  it('ships logs to the group the program creates', () => {
    const shipper = sets.find((set) => source(set, 'chart') === 'aws-for-fluent-bit');
    const group = String(source(shipper, 'helm.valuesObject.cloudWatchLogs.logGroupName'));
    const resolved = group.replace(/\{\{.*\}\}/, 'dev');
    const created = ofType(resources, 'cloudwatch/logGroup:LogGroup').map(({ inputs }) => inputs['name']);
    expect(created).toContain(resolved);
  });
});

describe('the needs of the cluster itself', () => {
  const values = (chart: string) =>
    at(
      sets.find((set) => source(set, 'chart') === chart),
      'spec.template.spec.source.helm.valuesObject',
    ) as Record<string, unknown>;

  it('the autoscaler does not run on spot, and tolerates the nodes it selects', () => {
    const chosen = values('cluster-autoscaler');
    const terms = at(
      chosen,
      'affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions',
    ) as { key: string; values: string[] }[];
    const always = nodesToCome(resources).filter(
      ({ labels, taints }) =>
        terms.every(({ key, values: wanted }) => wanted.includes(labels[key] ?? '')) &&
        taints.every((taint) =>
          (chosen['tolerations'] as { key: string; value: string }[]).some(
            ({ key, value }) => key === taint.key && value === taint.value,
          ),
        ),
    );
    expect(
      always.map(({ group, minSize, labels }) => [group, minSize > 0, labels['epsilon/capacity']]),
    ).toEqual([['ml_workloads', true, 'on-demand']]);
  });

  it.each([
    ['cluster-autoscaler', 'replicaCount', 'podDisruptionBudget'],
    ['aws-load-balancer-controller', 'replicaCount', 'podDisruptionBudget'],
    ['external-secrets', 'replicaCount', 'podDisruptionBudget'],
    ['argo-rollouts', 'controller.replicas', 'controller.pdb'],
  ])('%s is two replicas with a budget of disruptions', (chart, replicas, budget) => {
    expect(at(values(chart), replicas)).toBe(2);
    expect(Object.keys(at(values(chart), budget) as object)).toContainEqual(
      expect.stringMatching(/^(maxUnavailable|minAvailable)$/),
    );
  });

  it('names are answered by two replicas, never on one node, one of which may be where the autoscaler is', () => {
    const dns = ofType(resources, 'eks/addon:Addon').find(({ inputs }) => inputs['addonName'] === 'coredns');
    expect(JSON.parse(String(dns?.inputs['configurationValues']))).toMatchObject({
      replicaCount: 2,
      podDisruptionBudget: { enabled: true, maxUnavailable: 1 },
      topologySpreadConstraints: expect.arrayContaining([
        expect.objectContaining({
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'DoNotSchedule',
        }),
      ]),
      tolerations: expect.arrayContaining([
        { key: 'workload', operator: 'Equal', value: 'ml', effect: 'NoSchedule' },
      ]),
    });
  });

  it('spot nodes of training are drained on a warning that they go, not on a hint', () => {
    expect(values('aws-node-termination-handler')).toMatchObject({
      nodeSelector: { workload: 'training', 'epsilon/capacity': 'spot' },
      enableSpotInterruptionDraining: true,
      enableRebalanceMonitoring: false,
      enableRebalanceDraining: false,
    });
  });

  it('Prometheus tells people through the topic that all alarms go to, by facts that the cluster secret has', () => {
    const text = readFileSync(new URL('sets/kube-prometheus-stack.yml', folder), 'utf8');
    const script = readFileSync(new URL('bootstrap.sh', folder), 'utf8');
    const asked = readdirSync(new URL('sets/', folder)).flatMap((name) => {
      const set = readFileSync(new URL(`sets/${name}`, folder), 'utf8');
      return [...set.matchAll(/index \.metadata\.annotations "(epsilon\/[a-z-]+)"/g)].map(
        ([, fact]) => fact ?? '',
      );
    });
    expect(text).toContain('topic_arn: \'{{index .metadata.annotations "epsilon/alerts-topic-arn"}}\'');
    expect(new Set(asked).size).toBeGreaterThan(4);
    for (const fact of new Set(asked)) expect(script).toContain(`    ${fact}: "$`);
  });
});

describe('documents and workflow', () => {
  const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

  it('lists every parameter in the guide, with what it means and who reads it', () => {
    // The formatter pads the cells of a table.
    const rows = read('docs/provision.md')
      .split('\n')
      .map((row) => row.replace(/ +/g, ' '));
    const expected = ssmParameters.map((row) =>
      `| \`${row.name}\` | ${row.meaning} | ${row.readBy} |`.replace(/ +/g, ' '),
    );
    expect(rows.filter((row) => /^\| `[a-z0-9]+\/[a-z0-9-]+` \|/.test(row))).toEqual(expected);
  });

  const workflows = readdirSync(new URL('../../../.github/workflows/', import.meta.url));

  it.each(workflows)(
    '%s pins every action by commit, stores no key, and may do nothing by default',
    (name) => {
      const text = read(`.github/workflows/${name}`);
      const actions = [...text.matchAll(/uses: (\S+)/g)].map(([, action]) => action ?? '');
      expect(actions.length).toBeGreaterThan(0);
      for (const action of actions) expect(action).toMatch(/^\.\/|@[0-9a-f]{40}$/);
      expect(text).not.toMatch(/secrets\.|aws-access-key/);
      // An expression inside a script would let an input become shell.
      const scripts = Object.values(
        (parse(text) as { jobs: Record<string, { steps?: { run?: string }[] }> }).jobs,
      );
      for (const { steps = [] } of scripts)
        for (const { run = '' } of steps) expect(run).not.toContain('${{');
      expect((parse(text) as { permissions: object }).permissions).toEqual({});
    },
  );

  it('fails at 30 minutes, counted from the first resource to the last healthy add-on', () => {
    const steps = (
      parse(read('.github/workflows/provision.yml')) as { jobs: { provision: { steps: { run?: string }[] } } }
    ).jobs.provision.steps.map(({ run = '' }) => run);
    const step = (words: string) => steps.findIndex((run) => run.includes(words));
    const order = ['infra/provision.sh', 'wait --for=jsonpath', '-lt 1800'].map(step);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order.every((at) => at >= 0)).toBe(true);
    expect(steps[order[0] ?? 0]).toMatch(/date \+%s > .*started"[\s\S]*infra\/provision\.sh/);
  });

  it('waits in the workflow for every chart Argo CD installs', () => {
    const text = read('.github/workflows/provision.yml');
    const names = sets.map((set) => String(at(set, 'metadata.name')));
    expect(names).toHaveLength(7);
    for (const name of names) expect(text).toContain(name);
  });
});
