import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadInfrastructure } from '../../../lib/config/load-infrastructure.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';

const service = {
  environment: 'prod',
  region: 'us-west-2',
  dataBucket: 'embeddings-saas-data',
  training: { maxConcurrency: 200 },
  capacity: { batchSpotVcpus: 800, batchOnDemandVcpus: 200, eksSpotVcpus: 840 },
};

type Settings = Record<string, unknown>;

function file(environment = 'prod'): Settings {
  const url = new URL(`../../../infra/config/infrastructure/${environment}.yml`, import.meta.url);
  return parse(readFileSync(url, 'utf8')) as Settings;
}

/** The production file with one value changed; undefined takes the key away. */
function spoil(path: string, value: unknown): Settings {
  const settings = file();
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const parent = keys.reduce<Settings>((inner, key) => inner[key] as Settings, settings);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return settings;
}

function refusal(settings: unknown, facts = service): EpsilonError {
  try {
    loadInfrastructure(settings, facts);
  } catch (error) {
    if (error instanceof EpsilonError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

const cases: [path: string, value: unknown, code: string, words: string][] = [
  ['nodeGroups.general.minSize', 11, 'CAPACITY_RANGE', 'above maxSize 10'],
  ['nodeGroups.general.minSize', -1, 'CAPACITY_RANGE', 'the least is 0'],
  ['nodeGroups.ml_workloads.maxSize', 0, 'CAPACITY_RANGE', 'the least is 1'],
  ['nodeGroups.general.desiredSize', 1, 'CAPACITY_RANGE', 'outside 2 to 10'],
  ['nodeGroups.training_spot.maxSize', 66, 'CAPACITY_RANGE', 'at least 67'],
  ['batch.spotMaxVcpus', 3, 'CAPACITY_RANGE', 'the least is 4'],
  ['batch.spotMaxVcpus', 799, 'CAPACITY_RANGE', 'promises 800'],
  ['batch.onDemandMaxVcpus', 100, 'CAPACITY_RANGE', 'promises 200'],
  ['nodeGroups.training_spot.maxSize', 69, 'CAPACITY_RANGE', 'capacity.eksSpotVcpus promises 840'],
  ['database.backupRetentionDays', 0, 'RETENTION_RANGE', '1 to 35'],
  ['database.backupRetentionDays', 36, 'RETENTION_RANGE', '1 to 35'],
  ['storage.glacierDays', 30, 'RETENTION_RANGE', 'exceed intelligentTieringDays 30'],
  ['storage.logExpiryDays', 0, 'RETENTION_RANGE', 'the least is 1'],
  ['disasterRecoveryRegion', 'us-west-2', 'DR_REGION_SAME', 'another one'],
  ['cluster.publicAccessCidrs', ['0.0.0.0/0'], 'ENDPOINT_OPEN', '/16'],
  ['cluster.publicAccessCidrs', ['0.0.0.0/1', '128.0.0.0/1'], 'ENDPOINT_OPEN', '/16'],
  ['cluster.publicAccessCidrs', ['300.1.1.1/24'], 'CONFIG_INVALID', 'no network'],
  ['cluster.publicAccessCidrs', [], 'CONFIG_INVALID', 'cluster.publicAccessCidrs'],
  ['cluster.version', '1.28', 'VERSION_UNSUPPORTED', '1.35'],
  ['network.zones', ['a', 'a', 'b'], 'CONFIG_INVALID', 'three different zones'],
  ['network.cidr', '8.8.0.0/16', 'CONFIG_INVALID', 'private a.b.0.0/16'],
  ['github.repository', 'yourorg/*', 'CONFIG_INVALID', 'github.repository'],
  ['imageDigests.deployer', 'latest', 'CONFIG_INVALID', 'imageDigests.deployer'],
  ['database.multiAz', undefined, 'CONFIG_INVALID', 'database.multiAz'],
  ['database.instanceClas', 'db.t3.medium', 'CONFIG_UNKNOWN_KEY', 'database.instanceClass'],
  ['enviroment', 'prod', 'CONFIG_UNKNOWN_KEY', 'environment'],
];

describe('infrastructure settings', () => {
  it.each(cases)('%s = %j is refused as %s, saying "%s"', (path, value, code, words) => {
    // Act
    const error = refusal(spoil(path, value));

    // Assess
    expect(error.code).toBe(code);
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain(path);
    expect(error.message).toContain(words);
  });

  it('refuses a file of another environment, and a file that is no table', () => {
    expect(refusal(file('dev')).message).toContain('"environment" is dev');
    expect(refusal('text').code).toBe('CONFIG_INVALID');
    expect(refusal(null).code).toBe('CONFIG_INVALID');
  });

  it('accepts the production file and joins the service settings', () => {
    const config = loadInfrastructure(file(), service);
    expect(config.dataBucket).toBe('embeddings-saas-data');
    expect(config.region).toBe('us-west-2');
    expect(Object.isFrozen(config)).toBe(true);
  });
});
