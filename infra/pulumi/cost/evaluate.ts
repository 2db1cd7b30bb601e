import { runtime } from '@pulumi/pulumi';
import type { InfrastructureConfig } from '../../../lib/config/infrastructure.ts';
import { createPlatform } from '../platform.ts';

/** A resource as the program registered it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly provider: string;
  readonly ignoreChanges: readonly string[];
  readonly protect: boolean;
  /** Names, as `<type>::<name>`, of everything this resource waits for, given explicitly or by using an output. */
  readonly waitsFor: readonly string[];
}

interface Request {
  getType(): string;
  getName(): string;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
  getProtect(): boolean;
}

type Register = (request: Request, callback: unknown) => unknown;

function outputsOf(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  const provided: Record<string, unknown> = {
    arn: `arn:aws:mock:us-west-2:123456789012:${type.split('/').at(-1)}/${name}`,
    keyId: `key-${name}`,
    endpoint: `${name}.endpoint`,
    primaryEndpointAddress: `${name}.cache`,
    repositoryUrl: `123456789012.dkr.ecr.us-west-2.amazonaws.com/${name}`,
    latestVersion: 1,
    masterUserSecrets: [{ secretArn: 'arn:aws:secretsmanager:us-west-2:123456789012:secret:rds!db-1' }],
  };
  const given = { ...provided, name, ...inputs };
  if (type !== 'aws:eks/cluster:Cluster') return given;
  return {
    ...given,
    vpcConfig: { ...(inputs['vpcConfig'] as object), clusterSecurityGroupId: 'sg-cluster' },
    certificateAuthority: { data: 'Y2E=' },
    kubernetesNetworkConfig: { serviceIpv4Cidr: '172.20.0.0/16' },
  };
}

function mocks(
  record: Map<string, Omit<Registered, 'ignoreChanges' | 'protect' | 'waitsFor'>>,
): runtime.Mocks {
  return {
    newResource: ({ type, name, inputs, provider }) => {
      record.set(`${type}::${name}`, { type, name, inputs, provider: provider ?? '' });
      return { id: `${name}-id`, state: outputsOf(type, name, inputs) };
    },
    call: ({ token, inputs }) => {
      if (token === 'aws:index/getCallerIdentity:getCallerIdentity') return { accountId: '123456789012' };
      if (token.includes('getRandomPassword')) return { ...inputs, randomPassword: 'mocked-token' };
      throw new Error(`unexpected call ${token}`);
    },
  };
}

/** Runs the program against mocks, once, and gives every registered resource in the order of registration. */
export async function evaluate(config: InfrastructureConfig): Promise<Registered[]> {
  const record = new Map<string, Omit<Registered, 'ignoreChanges' | 'protect' | 'waitsFor'>>();
  const options = new Map<string, Pick<Registered, 'ignoreChanges' | 'protect' | 'waitsFor'>>();
  await runtime.setMocks(mocks(record), 'epsilon-platform', config.environment, false);
  const monitor = runtime.getMonitor() as unknown as { registerResource: Register };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    options.set(`${request.getType()}::${request.getName()}`, {
      ignoreChanges: request.getIgnorechangesList(),
      protect: request.getProtect(),
      waitsFor: request.getDependenciesList().map((urn) => urn.split('::').slice(-2).join('::')),
    });
    return register(request, callback);
  };
  createPlatform(config);
  await runtime.disconnect();
  return [...record].map(([key, resource]) => ({
    ...resource,
    ...(options.get(key) ?? { ignoreChanges: [], protect: false, waitsFor: [] }),
  }));
}

/** What creating a platform throws, and how many resources were registered until then. */
export async function attempt(create: () => unknown): Promise<{ error: unknown; registered: number }> {
  const record = new Map<string, Omit<Registered, 'ignoreChanges' | 'protect' | 'waitsFor'>>();
  await runtime.setMocks(mocks(record), 'epsilon-platform', 'refused', false);
  let error: unknown;
  try {
    create();
  } catch (thrown) {
    error = thrown;
  }
  await runtime.disconnect();
  return { error, registered: record.size };
}

/** All resources of a type (`eks/nodeGroup:NodeGroup`). */
export function ofType(resources: readonly Registered[], type: string): Registered[] {
  return resources.filter((resource) => resource.type === `aws:${type}`);
}

/** Names of everything a resource waits for, directly or through others. */
export function ancestors(resources: readonly Registered[], start: Registered): Set<string> {
  const byKey = new Map(resources.map((resource) => [`${resource.type}::${resource.name}`, resource]));
  const seen = new Set<string>();
  const queue = [...start.waitsFor];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    if (seen.has(key)) continue;
    seen.add(key);
    queue.push(...(byKey.get(key)?.waitsFor ?? []));
  }
  return seen;
}
