import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { lazyBundleFile } from '../../../infra/serverless/lazy-bundle.ts';
import { deploymentVariables } from '../../../lib/config/deployment.ts';
import { settingPaths, variableOf } from '../../../lib/config/load-config.ts';
import {
  awsBatch,
  awsCacheStore,
  awsKubernetes,
  awsReplicaFloor,
  awsTraces,
} from '../../../lib/handler/aws-parts.ts';
import type { EpsilonHandler } from '../../../lib/handler/define-handler.ts';
import { loadLocalService } from '../../../local/declaration/local-service.ts';
import { readYaml } from '../../../local/declaration/read-yaml.ts';
import type { Packaged } from '../packaging.ts';
import { at, idIn, ofType } from '../template.ts';

const logical = (key: string) => `${key.charAt(0).toUpperCase()}${key.slice(1)}`;

const handlerIn = async (file: string) =>
  ((await import(pathToFileURL(file).href)) as { readonly handler: EpsilonHandler }).handler;

/** Functions that are wired with the cluster but only ask what it may hold, which needs no network. */
const withoutNetwork = ['beginRun'];

const declaredFunctions = () =>
  readYaml('infra/serverless/functions.yml') as Record<
    string,
    { readonly cluster?: string; readonly network?: boolean }
  >;

/** Functions that functions.yml lets reach the cluster, where there is one. */
const onCluster = () =>
  Object.entries(declaredFunctions()).flatMap(([key, { cluster }]) => (cluster === undefined ? [] : [key]));

/** Functions that functions.yml puts into the network for something else in it, where there is a cluster. */
const onNetwork = () =>
  Object.entries(declaredFunctions()).flatMap(([key, { network }]) => (network === true ? [key] : []));

/** Facts of the service where it stands in for its home, or goes on there (infra/serverless/places). */
const onlyElsewhere = ['homeTableName', 'placeTableName', 'restoreNetwork', 'standsIn'] as const;

/** What every function must be. */
export function checkFunctions(packaged: () => Packaged): void {
  const functions = () => ofType(packaged().template, 'AWS::Lambda::Function');

  it('holds every declared function on Node 24 and arm64, traced, with a timeout of its own', () => {
    const declared = loadLocalService('.', {}).service.functions;
    expect(
      functions()
        .map(([id]) => id)
        .sort(),
    ).toEqual([...declared.keys()].map((key) => `${logical(key)}LambdaFunction`).sort());
    for (const [id, { Properties: properties }] of functions()) {
      expect(properties, id).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
        KmsKeyArn: { Ref: 'DataKeyArn' },
      });
      const key = id.replace('LambdaFunction', '');
      const { timeoutSeconds } = [...declared.values()].find((one) => logical(one.key) === key) ?? {};
      expect(properties['Timeout'], id).toBe(timeoutSeconds);
    }
  });

  it('gives each function a role that no other has', () => {
    const roles = functions().map(([, { Properties: properties }]) => idIn(properties['Role']));
    for (const [index, [id]] of functions().entries())
      expect(roles[index], id).toBe(id.replace('LambdaFunction', 'Role'));
    expect(new Set(roles).size).toBe(functions().length);
    expect(ofType(packaged().template, 'AWS::IAM::ManagedPolicy')).toEqual([]);
  });

  it('keeps every log encrypted and for a stated time', () => {
    const groups = ofType(packaged().template, 'AWS::Logs::LogGroup');
    const machines = ofType(packaged().template, 'AWS::StepFunctions::StateMachine');
    expect(groups).toHaveLength(functions().length + machines.length);
    for (const [id, { Properties: properties }] of groups) {
      expect(properties['KmsKeyId'], id).toEqual({ Ref: 'LogsKeyArn' });
      expect(properties['RetentionInDays'], id).toBe(90);
    }
    for (const [id, { Properties: properties }] of functions()) {
      const group = packaged().template.Resources[id.replace('LambdaFunction', 'LogGroup')];
      expect(group?.Properties['LogGroupName'], id).toBe(`/aws/lambda/${String(properties['FunctionName'])}`);
    }
  });

  it('sets every variable that settings and resources are read from, and no secret', () => {
    const elsewhere = new Set(onlyElsewhere.map((field) => deploymentVariables[field]));
    const known = [
      ...settingPaths().map(variableOf),
      ...Object.values(deploymentVariables).filter((name) => !elsewhere.has(name)),
    ];
    for (const [id, { Properties: properties }] of functions()) {
      const variables = at(properties, 'Environment', 'Variables') as Record<string, unknown>;
      expect(Object.keys(variables).sort(), id).toEqual([...known].sort());
      for (const [name, value] of Object.entries(variables)) {
        const text = JSON.stringify(value);
        expect(text, name).not.toMatch(/secretsmanager|ssm-secure|password|AKIA|BEGIN [A-Z ]*PRIVATE/i);
        // Names of things, numbers and words: nothing that looks like a key.
        expect(text, name).not.toMatch(/"[A-Za-z0-9+/]{40,}"/);
      }
    }
  });

  it('puts functions that reach the cluster or the cache, and only those, into the network where there is a cluster', () => {
    const reaching = onCluster();
    expect(reaching.length).toBeGreaterThanOrEqual(4);
    const inside = [...reaching, ...onNetwork()];
    const on = functions().some(
      ([, { Properties: p }]) => at(p, 'Environment', 'Variables', 'EPSILON_KUBERNETES') === 'on',
    );
    for (const [id, { Properties: properties }] of functions()) {
      const expected = on && inside.some((key) => id === `${logical(key)}LambdaFunction`);
      expect(properties['VpcConfig'] !== undefined, id).toBe(expected);
    }
    const entries = ofType(packaged().template, 'AWS::EKS::AccessEntry');
    expect(entries.map(([, { Properties: p }]) => idIn(p['PrincipalArn'])).sort()).toEqual(
      on ? reaching.map((key) => `${logical(key)}Role`).sort() : [],
    );
  });

  it('lets every function reach the cluster that is wired with it, and no other', async () => {
    const wired: string[] = [];
    for (const { key, file } of loadLocalService('.', {}).service.functions.values())
      if ((await handlerIn(file)).aws.some((part) => part === awsKubernetes || part === awsReplicaFloor))
        wired.push(key);
    expect(wired.sort()).toEqual([...onCluster(), ...withoutNetwork].sort());
  });

  it('packs the lazy bundle with the functions whose parts load of it, and with no other', async () => {
    for (const { key, file } of loadLocalService('.', {}).service.functions.values()) {
      const handler = await handlerIn(file);
      // Names of files stand in a zip as they are.
      const zip = readFileSync(join(packaged().folder, `${key}.zip`));
      const needed = [awsKubernetes, awsBatch, awsReplicaFloor, awsCacheStore, awsTraces].some((part) =>
        handler.aws.includes(part),
      );
      expect(zip.includes(lazyBundleFile), key).toBe(needed);
    }
  });

  it('lets the reconciler run once per shard, beside the invocation that fans out', () => {
    const properties = packaged().template.Resources['ReconcileJobsLambdaFunction']?.Properties;
    const shards = at(properties, 'Environment', 'Variables', 'EPSILON_RECONCILE_SHARDS');
    expect(String(properties?.['ReservedConcurrentExecutions'])).toBe(String(Number(shards) + 1));
  });
}
