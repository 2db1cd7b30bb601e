import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, ofType } from '../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../infra/pulumi/cost/settings.ts';
import {
  statementsOf as policyStatements,
  type SeenStatement,
} from '../../infra/pulumi/policy/statements.ts';
import { functionIds } from '../../lib/config/logical-ids.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';
import { permits } from '../infra/pulumi/iam.ts';
import { type Json, statementsOf } from '../service/template.ts';
import type { Recorded } from './deployed-night.ts';
import { rareRequests } from './other-requests.ts';
import type { AwsRequest } from './requests.ts';
import { recordRequests } from './scenarios.ts';
import { covers, declaredStatements, type TableUse, tableRights } from './table-rights.ts';

const roles = declaredStatements();
const functions = Object.keys(readYaml('infra/serverless/functions.yml') as Record<string, Json>);
const table = tableRights();
let recorded: Recorded;
let boundary: SeenStatement[];

/** Rights of every function that are not in its area's file (infra/serverless/plugin/roles.ts): the data key's. */
const ofEveryFunction = (action: string) => action === 'kms:Decrypt';

/** The most that a role of the service may do, as infrastructure makes it; a bucket's id is its name. */
async function boundaryOf(environment: string): Promise<SeenStatement[]> {
  const all = await evaluate(settingsOf(environment));
  const [policy] = ofType(all, 'iam/policy:Policy');
  return policyStatements(String(policy?.inputs['policy']).replaceAll(/(arn:aws:s3:::[\w-]+)-id\b/g, '$1'));
}

/** Rights that no scenario needs, and why they stay; one that is needed after all is to be taken out of this list. */
const unused: readonly { readonly key: string; readonly action: string; readonly reason: string }[] = [
  {
    key: 'alignFixedNames',
    action: 's3:PutObjectTagging',
    reason: 'S3 does not say whether replacing the tags of a copy by none asks for it',
  },
];

const actionsOf = (key: string) =>
  new Set(statementsOf({ Statement: roles[key] ?? [] }).flatMap(({ actions }) => actions));

function useOf({ action, resource, context }: AwsRequest): TableUse[] {
  // Restored tables and the replica are held by their names.
  if (!resource.includes(`:us-west-2:`) || !/table\/epsilon-dev($|\/)/.test(resource)) return [];
  const place = resource.includes('/index/') ? 'index' : 'table';
  return [context['dynamodb:LeadingKeys'] ?? []].flat().map((partition) => ({ action, place, partition }));
}

const tableUses = (key: string) => (recorded.get(key) ?? []).flatMap(useOf);
const mayOn = (key: string) => table.filter(({ role }) => role === functionIds(key).role);

beforeAll(async () => {
  recorded = await recordRequests();
  boundary = await boundaryOf('dev');
}, 600_000);

describe('each request of a function', () => {
  it('was noted of every function', () => {
    // What only sets something in the cluster, or only counts, asks nothing of AWS.
    const inClusterOnly = ['applyCapacity', 'expireCapacity', 'noteCapacityFailure'];
    expect([...recorded.keys(), ...inClusterOnly].sort()).toEqual([...functions].sort());
  });

  it.each(functions)('%s: is granted, action by action', (key) => {
    const granted = actionsOf(key);
    const asked = new Set(
      [...(recorded.get(key) ?? []), ...(rareRequests[key] ?? [])].map(({ action }) => action),
    );
    expect([...asked].filter((action) => !granted.has(action) && !ofEveryFunction(action))).toEqual([]);
  });

  it.each(functions)('%s: is all that is granted, or explained', (key) => {
    const asked = new Set(
      [...(recorded.get(key) ?? []), ...(rareRequests[key] ?? [])].map(({ action }) => action),
    );
    const idle = [...actionsOf(key)].filter(
      (action) => !action.startsWith('dynamodb:') && !asked.has(action),
    );
    expect(idle.sort()).toEqual(
      unused
        .filter((one) => one.key === key)
        .map(({ action }) => action)
        .sort(),
    );
  });

  it.each(functions)(
    '%s: is within the boundary that infrastructure sets for roles of the service',
    (key) => {
      const outside = [...(recorded.get(key) ?? []), ...(rareRequests[key] ?? [])].filter(
        ({ action, resource, context }) => !permits(boundary, { action, resource, facts: context }),
      );
      expect(outside.map(({ action, resource }) => `${action} ${resource}`)).toEqual([]);
    },
  );

  it.each(functions)('%s: is in the partitions of the table that it works in', (key) => {
    const rights = mayOn(key);
    const refused = tableUses(key).filter((use) => !rights.some((right) => covers(right, use)));
    expect(refused).toEqual([]);
  });

  it.each(functions)('%s: is in every partition that its role allows', (key) => {
    const rights = mayOn(key);
    const partitions = [...new Set(rights.map(({ partition }) => partition))];
    const uses = tableUses(key);
    const idle = partitions.filter((partition) => {
      const here = rights.filter((right) => right.partition === partition);
      return !uses.some((use) => here.some((right) => covers(right, use)));
    });
    expect(idle).toEqual([]);
  });
});
