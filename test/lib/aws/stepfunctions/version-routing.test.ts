import {
  DescribeStateMachineAliasCommand,
  SFNClient,
  UpdateStateMachineAliasCommand,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, it } from 'vitest';
import { createVersionRouting } from '../../../../lib/aws/stepfunctions/version-routing.ts';
import { versionRoutingContract } from '../../../contract/version-routing.ts';

const location = { partition: 'aws', accountId: '123456789012', region: 'us-west-2', environment: 'dev' };
const machine = (key: string) => `arn:aws:states:us-west-2:123456789012:stateMachine:epsilon-dev-${key}`;

/** Step Functions with two aliases; it lists versions in no order. */
function stepFunctions() {
  const sfn = mockClient(SFNClient);
  const routes = new Map<string | undefined, object[]>([
    [
      `${machine('autoscaling')}:live`,
      [{ stateMachineVersionArn: `${machine('autoscaling')}:1`, weight: 100 }],
    ],
    [
      `${machine('tenant-model-training')}:live`,
      [10, 9].map((version) => ({
        stateMachineVersionArn: `${machine('tenant-model-training')}:${version}`,
        weight: version === 10 ? 10 : 90,
      })),
    ],
  ]);
  sfn.on(DescribeStateMachineAliasCommand).callsFake(({ stateMachineAliasArn: alias }) => {
    const routingConfiguration = routes.get(alias);
    if (routingConfiguration) return { routingConfiguration };
    throw Object.assign(new Error('no such alias'), { name: 'ResourceNotFound' });
  });
  sfn
    .on(UpdateStateMachineAliasCommand)
    .callsFake(({ stateMachineAliasArn: alias, routingConfiguration }) => {
      routes.set(alias, routingConfiguration);
      return {};
    });
  return createVersionRouting({ client: new SFNClient({ region: 'us-west-2' }), location });
}

versionRoutingContract('Step Functions', async () => stepFunctions());

it('machine without an alias has no versions', async () => {
  expect(await stepFunctions().current('nightly-training')).toEqual([]);
});
