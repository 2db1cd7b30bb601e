import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { at } from '../../../infra/pulumi/policy/statements.ts';
import { readSettings } from '../../../infra/pulumi/settings.ts';
import { evaluate, ofType, type Registered } from './program.ts';

const folder = new URL('../../../infra/argocd/addons/', import.meta.url);
const sets = readdirSync(new URL('sets/', folder))
  .map((name) => parse(readFileSync(new URL(`sets/${name}`, folder), 'utf8')) as Record<string, unknown>)
  .filter(({ kind }) => kind === 'ApplicationSet');
const source = (set: unknown, key: string) => at(set, `spec.template.spec.source.${key}`);
let resources: Registered[] = [];

beforeAll(async () => {
  resources = await evaluate(readSettings('dev'));
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
      'cluster-autoscaler',
      'external-secrets',
      'kube-prometheus-stack',
    ]);
  });

  it('pins every chart and Argo CD to one version', () => {
    for (const set of sets) expect(String(source(set, 'targetRevision'))).toMatch(/^\d+\.\d+\.\d+$/);
    const own = readFileSync(new URL('argo-cd/kustomization.yaml', folder), 'utf8');
    expect(own).toMatch(/argo-cd\/v\d+\.\d+\.\d+\/manifests/);
  });

  it('gives each associated service account the name and namespace its chart uses', () => {
    // Prepare
    const used = sets.flatMap((set) => {
      const account =
        source(set, 'helm.valuesObject.serviceAccount.name') ??
        source(set, 'helm.valuesObject.rbac.serviceAccount.name');
      return account ? [`${at(set, 'spec.template.spec.destination.namespace')}/${account}`] : [];
    });

    // Act
    const associated = ofType(resources, 'eks/podIdentityAssociation:PodIdentityAssociation').map(
      ({ inputs }) => `${inputs['namespace']}/${inputs['serviceAccount']}`,
    );

    // Assess
    expect(associated.sort()).toEqual(used.sort());
  });

  it('ships logs to the group the program creates', () => {
    const shipper = sets.find((set) => source(set, 'chart') === 'aws-for-fluent-bit');
    const group = String(source(shipper, 'helm.valuesObject.cloudWatchLogs.logGroupName'));
    const resolved = group.replace(/\{\{.*\}\}/, 'dev');
    const created = ofType(resources, 'cloudwatch/logGroup:LogGroup').map(({ inputs }) => inputs['name']);
    expect(created).toContain(resolved);
  });
});
