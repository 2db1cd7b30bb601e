import { Provider } from '@pulumi/aws/provider.js';
import type { CustomResourceOptions, Input, Output } from '@pulumi/pulumi';
import type { InfrastructureConfig } from '../../lib/config/infrastructure.ts';

/** Where resources go: settings, names, and one provider per region. */
export interface Site {
  readonly config: InfrastructureConfig;
  readonly accountId: Output<string>;
  /** Options of resources in the service's region. */
  readonly here: CustomResourceOptions;
  /** Options of resources in the disaster recovery region. */
  readonly there: CustomResourceOptions;
  /** Tags of everything, given by hand where the provider's default tags do not reach: instances, disks, groups. */
  readonly tags: Readonly<Record<string, string>>;
  /** `epsilon-<environment>-<part>`. */
  readonly name: (part: string) => string;
}

/** A site with its two providers; every resource carries the same tags. */
export function createSite(config: InfrastructureConfig, accountId: Output<string>): Site {
  const tags = { 'epsilon:service': 'epsilon', 'epsilon:environment': config.environment };
  const provider = (name: string, region: string) =>
    new Provider(name, { region: region as never, defaultTags: { tags } });
  return {
    config,
    accountId,
    tags,
    here: { provider: provider('primary', config.region) },
    there: { provider: provider('disaster-recovery', config.disasterRecoveryRegion) },
    name: (part) => `epsilon-${config.environment}-${part}`,
  };
}

/** One statement of an IAM policy. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource?: Input<string> | readonly Input<string>[];
  readonly Principal?: string | Record<string, Input<string>>;
  readonly Condition?: Record<string, Record<string, Input<string> | readonly Input<string>[]>>;
}
