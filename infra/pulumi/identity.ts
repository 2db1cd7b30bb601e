import { Role } from '@pulumi/aws/iam/role.js';
import { RolePolicy } from '@pulumi/aws/iam/rolePolicy.js';
import { RolePolicyAttachment } from '@pulumi/aws/iam/rolePolicyAttachment.js';
import { type Input, jsonStringify, type Output, type Resource } from '@pulumi/pulumi';
import type { Site, Statement } from './site.ts';

/** A policy document as JSON text. */
export function document(statements: readonly Statement[]): Output<string> {
  return jsonStringify({ Version: '2012-10-17', Statement: statements });
}

/** Trust of an AWS service, for resources of this account only. */
export function trustService(site: Site, service: string): Statement {
  return {
    Effect: 'Allow',
    Principal: { Service: service },
    Action: 'sts:AssumeRole',
    Condition: { StringEquals: { 'aws:SourceAccount': site.accountId } },
  };
}

/** Trust of services that send no source account (EC2, EKS node and Batch instances). */
export function trustHost(service: string): Statement {
  return { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' };
}

/** Trust of EKS Pod Identity; the agent sets session tags, hence TagSession. */
export function trustPods(site: Site): Statement {
  return {
    Effect: 'Allow',
    Principal: { Service: 'pods.eks.amazonaws.com' },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Condition: { StringEquals: { 'aws:SourceAccount': site.accountId } },
  };
}

/** A role, its inline statements and the AWS managed policies that a managed service demands. */
export interface Identity {
  readonly role: Role;
  readonly arn: Output<string>;
  /** What a user of the role waits for: a role without its policies fails at first use. */
  readonly ready: readonly Resource[];
}

/** What a role is made of. */
export interface IdentityOptions {
  readonly trust: readonly Statement[];
  readonly allow?: readonly Statement[];
  /** Names of AWS managed policies. */
  readonly managed?: readonly string[];
  /** Seconds a session lasts. */
  readonly sessionSeconds?: Input<number>;
}

/** Creates `epsilon-<environment>-<part>` with its policies. */
export function createIdentity(site: Site, part: string, options: IdentityOptions): Identity {
  const name = site.name(part);
  const role = new Role(
    name,
    {
      name,
      assumeRolePolicy: document(options.trust),
      ...(options.sessionSeconds === undefined ? {} : { maxSessionDuration: options.sessionSeconds }),
    },
    site.here,
  );
  const inline = options.allow
    ? [new RolePolicy(name, { name: part, role: role.name, policy: document(options.allow) }, site.here)]
    : [];
  const attached = (options.managed ?? []).map(
    (policy) =>
      new RolePolicyAttachment(
        `${name}-${policy.split('/').at(-1)}`,
        { role: role.name, policyArn: `arn:aws:iam::aws:policy/${policy}` },
        site.here,
      ),
  );
  return { role, arn: role.arn, ready: [role, ...inline, ...attached] };
}
