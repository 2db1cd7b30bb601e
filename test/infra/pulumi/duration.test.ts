import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, type Registered } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';

/**
 * Minutes that AWS takes to make one resource of a type, at most: estimates, by what people report, not measured. Of a type that
 * is not listed nothing is said but that all of them together, with keys, roles and subnets, take one minute.
 */
const minutes: Readonly<Record<string, number>> = {
  'aws:eks/cluster:Cluster': 10,
  'aws:eks/addon:Addon': 2,
  'aws:eks/nodeGroup:NodeGroup': 3,
  'aws:rds/instance:Instance': 15,
  'aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication': 8,
  'aws:elasticache/replicationGroup:ReplicationGroup': 8,
  'aws:ec2/natGateway:NatGateway': 3,
  'aws:batch/computeEnvironment:ComputeEnvironment': 1,
};
const others = 1;

let resources: Registered[] = [];

beforeAll(async () => {
  resources = await evaluate(settingsOf('prod'));
}, 60_000);

/** Minutes until each resource is there, by its key, when everything begins as soon as what it waits for is there. */
function finished(all: readonly Registered[]): Map<string, number> {
  const byKey = new Map(all.map((resource) => [`${resource.type}::${resource.name}`, resource]));
  const done = new Map<string, number>();
  const end = (key: string): number => {
    const known = done.get(key);
    const resource = byKey.get(key);
    if (known !== undefined || !resource) return known ?? others;
    const began = Math.max(others, ...resource.waitsFor.map(end));
    const at = began + (minutes[resource.type] ?? 0);
    done.set(key, at);
    return at;
  };
  for (const key of byKey.keys()) end(key);
  return done;
}

const endOf = (done: ReadonlyMap<string, number>, type: string) =>
  Math.max(...[...done].filter(([key]) => key.startsWith(`aws:${type}::`)).map(([, at]) => at));

describe('the duration of provisioning, by estimates and by what each resource waits for', () => {
  it('is what docs/provision.md says of both ways, and of what is left of 30 minutes', () => {
    const done = finished(resources);
    const nodes = endOf(done, 'eks/nodeGroup:NodeGroup');
    const pulumi = Math.max(...done.values());
    // What bootstrap.sh has left to do when the first node is there.
    const addons = 5;
    const text = readFileSync(new URL('../../../docs/provision.md', import.meta.url), 'utf8').replace(
      / +/g,
      ' ',
    );
    expect(text).toContain(`| **sum** | | **${nodes + addons}** |`);
    expect(text).toContain(`to ${pulumi}** |`);
    expect(text).toContain(`leaves ${30 - pulumi} minutes of 30`);
    expect(text).toContain(`trains ${30 - nodes - addons} minutes`);
  });

  it('of the whole program is that of the database and its backups: nothing else is in their way', () => {
    const done = finished(resources);
    const longest = [...done].filter(([, at]) => at === Math.max(...done.values())).map(([key]) => key);
    expect(longest).toEqual([expect.stringContaining('InstanceAutomatedBackupsReplication')]);
    expect(endOf(done, 'rds/instance:Instance')).toBe(16);
  });

  it('knows every type that it has an estimate of', () => {
    const types = new Set(resources.map(({ type }) => type));
    for (const type of Object.keys(minutes)) expect(types).toContain(type);
  });
});
