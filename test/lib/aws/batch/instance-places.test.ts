import { DescribeContainerInstancesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, expect, it } from 'vitest';
import { createInstancePlaces } from '../../../../lib/aws/batch/instance-places.ts';
import { sdkError } from '../../../aws/batch-stand-in.ts';

const ecs = mockClient(ECSClient);
afterEach(() => ecs.reset());

const arn = (cluster: string, id: number) =>
  `arn:aws:ecs:us-west-2:123456789012:container-instance/${cluster}/${id}`;

/** ECS with instances of every id but 13; those of odd ids say nothing of their zone. */
function setUp() {
  ecs
    .on(DescribeContainerInstancesCommand)
    .callsFake(({ containerInstances }: { containerInstances: string[] }) => ({
      containerInstances: containerInstances
        .filter((one) => !one.endsWith('/13'))
        .map((containerInstanceArn) => ({
          containerInstanceArn,
          attributes: [
            { name: 'ecs.instance-type', value: 'm5.4xlarge' },
            ...(Number(containerInstanceArn.split('/').at(-1)) % 2 === 0
              ? [{ name: 'ecs.availability-zone', value: 'us-west-2c' }]
              : []),
          ],
        })),
    }));
  return createInstancePlaces(new ECSClient({ region: 'us-west-2' }));
}

const asked = () =>
  ecs
    .commandCalls(DescribeContainerInstancesCommand)
    .map(({ args: [{ input }] }) => [input.cluster, input.containerInstances?.length]);

it('instances are asked for by their cluster, a hundred by a call, and each once', async () => {
  const placesOf = setUp();
  const arns = [...Array.from({ length: 120 }, (_, id) => arn('spot', 2 * id)), arn('on-demand', 2)];
  expect((await placesOf(arns)).size).toBe(121);
  expect(asked()).toEqual([
    ['spot', 100],
    ['spot', 20],
    ['on-demand', 1],
  ]);
  expect((await placesOf(arns)).get(arn('spot', 4))).toEqual({
    instanceType: 'm5.4xlarge',
    zone: 'us-west-2c',
  });
  expect(asked()).toHaveLength(3);
});

it('instance that is gone, that says nothing of its zone, or whose ARN names no cluster has no place', async () => {
  const placesOf = setUp();
  const old = 'arn:aws:ecs:us-west-2:123456789012:container-instance/0a1b2c3d';
  expect(await placesOf([arn('spot', 13), arn('spot', 1), old, ''])).toEqual(new Map());
});

it('refusal names the action', async () => {
  const placesOf = setUp();
  ecs.on(DescribeContainerInstancesCommand).rejects(sdkError('AccessDeniedException', 'not authorized'));
  await expect(placesOf([arn('spot', 2)])).rejects.toMatchObject({
    code: 'AWS_ACCESS_DENIED',
    details: { action: 'ecs:DescribeContainerInstances', resource: 'spot' },
  });
});
