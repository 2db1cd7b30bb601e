import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { filledIn } from '../../../infra/pulumi/cost/settings.ts';
import { loadInfrastructure } from '../../../lib/config/load-infrastructure.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';

const service = {
  environment: 'prod',
  region: 'us-west-2',
  dataBucket: 'embeddings-saas-data',
  training: { maxConcurrency: 1_000 },
  queueSize: { batchSpotVcpus: 800, batchOnDemandVcpus: 800, eksSpotVcpus: 840, eksOnDemandVcpus: 840 },
};

type Settings = Record<string, unknown>;

function file(environment = 'prod'): Settings {
  const url = new URL(`../../../infra/config/infrastructure/${environment}.yml`, import.meta.url);
  const imageDigests = { 'data-pipeline': null, 'ml-engine': null, deployer: null };
  return { ...(parse(readFileSync(url, 'utf8')) as Settings), imageDigests };
}

/** The production file with one value changed; undefined takes the key away. */
function spoil(path: string, value: unknown): Settings {
  const settings: Settings = filledIn(file());
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
  ['nodeGroups.general.minSize', 11, 'SIZE_RANGE', 'above maxSize 10'],
  ['nodeGroups.general.minSize', -1, 'SIZE_RANGE', 'the least is 0'],
  ['nodeGroups.ml_workloads.maxSize', 0, 'SIZE_RANGE', 'the least is 1'],
  ['nodeGroups.general.desiredSize', 1, 'SIZE_RANGE', 'outside 2 to 10'],
  ['batch.spotMaxVcpus', 3, 'SIZE_RANGE', 'the least is 4'],
  ['batch.spotMaxVcpus', 799, 'SIZE_RANGE', 'promises 800'],
  ['batch.onDemandMaxVcpus', 100, 'SIZE_RANGE', 'promises 800'],
  ['nodeGroups.training_spot.maxSize', 69, 'SIZE_RANGE', 'promises 840'],
  ['nodeGroups.training_on_demand.maxSize', 16, 'SIZE_RANGE', 'promises 840'],
  ['database.backupRetentionDays', 0, 'RETENTION_RANGE', '1 to 35'],
  ['database.backupRetentionDays', 36, 'RETENTION_RANGE', '1 to 35'],
  ['storage.glacierDays', 30, 'RETENTION_RANGE', 'exceed intelligentTieringDays 30'],
  ['storage.logExpiryDays', 0, 'RETENTION_RANGE', 'the least is 1'],
  ['disasterRecoveryRegion', 'us-west-2', 'DR_REGION_SAME', 'another one'],
  ['cluster.publicAccessCidrs', ['0.0.0.0/0'], 'ENDPOINT_OPEN', '/16'],
  ['cluster.publicAccessCidrs', ['0.0.0.0/1', '128.0.0.0/1'], 'ENDPOINT_OPEN', '/16'],
  ['cluster.publicAccessCidrs', ['300.1.1.1/24'], 'CONFIG_INVALID', 'no network'],
  ['cluster.publicAccessCidrs', [], 'CONFIG_INVALID', 'cluster.publicAccessCidrs'],
  ['cluster.publicAccessCidrs', ['203.0.113.0/24'], 'PLACEHOLDER_LEFT', 'reserved for documentation'],
  ['cluster.publicAccessCidrs', ['52.94.76.0/24', '198.51.100.7/32'], 'PLACEHOLDER_LEFT', '198.51.100.7/32'],
  ['cluster.publicAccessCidrs', ['192.0.0.0/16'], 'PLACEHOLDER_LEFT', '192.0.2.0/24'],
  ['cluster.publicAccessCidrs', ['10.20.0.0/16'], 'PLACEHOLDER_LEFT', 'private networks'],
  ['cluster.publicAccessCidrs', ['172.31.255.0/24'], 'PLACEHOLDER_LEFT', 'private networks'],
  ['budget.alertEmail', 'platform@example.com', 'PLACEHOLDER_LEFT', 'address that people read'],
  ['budget.alertEmail', 'a@mail.EXAMPLE.org', 'PLACEHOLDER_LEFT', 'mail.EXAMPLE.org'],
  ['github.repository', 'yourorg/embeddings-saas', 'PLACEHOLDER_LEFT', 'yourorg/embeddings-saas'],
  ['github.repository', 'Your-Organization/x', 'PLACEHOLDER_LEFT', 'Your-Organization/x'],
  ['cluster.version', '1.28', 'VERSION_UNSUPPORTED', '1.35'],
  ['network.zones', ['a', 'a', 'b'], 'CONFIG_INVALID', 'three different zones'],
  ['network.cidr', '8.8.0.0/16', 'CONFIG_INVALID', 'private network a.b.0.0/16'],
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

  it('infrastructure settings refuse more tenants at a time than the cluster keeps jobs of, and name the ceiling', () => {
    const facts = (maxConcurrency: number) => ({ ...service, training: { maxConcurrency } });
    expect(refusal(file('prod'), facts(5_001))).toMatchObject({
      code: 'SIZE_RANGE',
      message: expect.stringContaining('30000 Jobs, 6 of each run, so 5000 is the most'),
    });
    expect(refusal(file('prod'), facts(5_000)).code).toBe('PLACEHOLDER_LEFT');
  });

  it('infrastructure settings of another environment, and a file that is no table, are refused', () => {
    expect(refusal(file('dev')).message).toContain('"environment" is dev');
    expect(refusal('text').code).toBe('CONFIG_INVALID');
    expect(refusal(null).code).toBe('CONFIG_INVALID');
  });

  it.each(['dev', 'staging', 'prod'])(
    'infrastructure settings as committed for %s are refused: their placeholders are still there',
    (environment) => {
      const facts = {
        ...service,
        environment,
        training: { maxConcurrency: 3 },
        queueSize: { batchSpotVcpus: 0, batchOnDemandVcpus: 0, eksSpotVcpus: 0, eksOnDemandVcpus: 0 },
      };
      expect(refusal(file(environment), facts)).toMatchObject({
        code: 'PLACEHOLDER_LEFT',
        details: { key: 'cluster.publicAccessCidrs' },
      });
    },
  );

  it.each([
    ['cluster.publicAccessCidrs', ['203.0.112.0/24', '203.0.114.0/24', '172.32.0.0/16', '11.0.0.0/16']],
    ['budget.alertEmail', 'platform@example-company.io'],
    ['budget.alertEmail', 'platform@contest.com'],
    ['github.repository', 'organic/your-app'],
  ])('infrastructure settings accept %s = %j, which only looks like a placeholder', (path, value) => {
    expect(loadInfrastructure(spoil(path, value), service).environment).toBe('prod');
  });

  it('infrastructure settings of production are accepted and joined with those of the service', () => {
    const config = loadInfrastructure(filledIn(file()), service);
    expect(config.dataBucket).toBe('embeddings-saas-data');
    expect(config.region).toBe('us-west-2');
    expect(Object.isFrozen(config)).toBe(true);
  });
});
