import type { Context } from 'aws-lambda';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { createFinishRun, handler as finishRun } from '../../../functions/training/finish-run.ts';
import { createSubmitStage, handler as submitStage } from '../../../functions/training/submit-stage.ts';
import { assemblePorts } from '../../../lib/aws/wiring/wire-aws.ts';
import {
  type AwsPart,
  awsBatch,
  awsCallbacks,
  awsEvents,
  awsKubernetes,
  awsObjects,
  awsStores,
  type Wired,
} from '../../../lib/handler/aws-parts.ts';
import { defineHandler, type EpsilonHandler } from '../../../lib/handler/define-handler.ts';
import type { EventPublisher } from '../../../lib/ports/event-publisher.ts';
import type { JobRunner } from '../../../lib/ports/job-runner.ts';
import type { BasePorts, JobRunners, Ports } from '../../../lib/ports/ports.ts';
import type { LocalPorts } from '../../../local/adapters/functions.ts';
import { anAwsBase } from '../../fixtures/aws-base.ts';
import { testPorts } from '../../fixtures/ports.ts';

const input = z.unknown().transform(() => ({}) as never);
const name = 'made';

// `npm run typecheck` holds what the types refuse: an error that is expected and does not come is one itself.
describe('the types of a function’s parts', () => {
  it('Wired gives a function the ports of the parts it names, and no others', () => {
    type Ports = Wired<readonly [typeof awsEvents, typeof awsBatch]>;
    expectTypeOf<keyof Ports>().toEqualTypeOf<keyof BasePorts | 'events' | 'jobs'>();
    expectTypeOf<Ports['events']>().toEqualTypeOf<EventPublisher>();
    expectTypeOf<keyof Ports['jobs']>().toEqualTypeOf<'batch'>();
    expectTypeOf<Wired<readonly []>>().toEqualTypeOf<BasePorts>();
  });

  it('Wired adds up the job runners of several parts; a cluster need not exist', () => {
    type Jobs = Wired<readonly [typeof awsBatch, typeof awsKubernetes]>['jobs'];
    expectTypeOf<keyof Jobs>().toEqualTypeOf<'batch' | 'eks'>();
    expectTypeOf<Jobs>().toExtend<JobRunners>();
    expectTypeOf<Jobs['eks']>().toEqualTypeOf<JobRunner | undefined>();
  });

  it('Wired does not compile where a part is missing that the function needs', () => {
    defineHandler({ name, input, aws: [awsStores, awsEvents], create: createFinishRun });
    // @ts-expect-error: finishRun publishes an event, and no part brings `events`
    defineHandler({ name, input, aws: [awsStores], create: createFinishRun });
    // @ts-expect-error: finishRun reads a run, and no part brings the stores
    defineHandler({ name, input, aws: [awsEvents], create: createFinishRun });
  });

  it('Wired does not compile where a backend is forgotten', () => {
    const others = [awsStores, awsCallbacks] as const;
    defineHandler({ name, input, aws: [...others, awsBatch, awsKubernetes], create: createSubmitStage });
    // @ts-expect-error: submitStage submits to either backend, and that of the cluster is not named
    defineHandler({ name, input, aws: [...others, awsBatch], create: createSubmitStage });
    // @ts-expect-error: submitStage submits to either backend, and Batch is not named
    defineHandler({ name, input, aws: [...others, awsKubernetes], create: createSubmitStage });
  });

  it('a part that provides another port than it declares does not compile', () => {
    // @ts-expect-error: the loader brings `objects`, not `events`
    const part: AwsPart<Pick<Ports, 'events'>> = awsObjects;
    expect(part).toBe(awsObjects);
  });
});

describe('the types of withPorts', () => {
  it('withPorts accepts every object that has the ports the function is wired with', () => {
    expectTypeOf(testPorts).returns.toExtend<Parameters<typeof submitStage.withPorts>[0]>();
    expectTypeOf(finishRun).toExtend<EpsilonHandler>();
    expectTypeOf(submitStage).toExtend<EpsilonHandler>();
  });

  it('withPorts does not compile with too few ports', () => {
    const { events: _, ...without } = testPorts();
    // @ts-expect-error: finishRun publishes an event, and `events` is not given
    finishRun.withPorts(without);
    // @ts-expect-error: a tenant may be on the cluster, and `eks` is neither a runner nor said to be absent
    submitStage.withPorts({ ...testPorts(), jobs: { batch: undefined } });
    // @ts-expect-error: the embedded runtime runs jobs itself, and `local` is not given
    const local: LocalPorts = testPorts();
    expect(local.jobs).not.toHaveProperty('local');
  });
});

describe('ports assembled from parts of AWS', () => {
  it('ports from AWS are those of the base and of every part, with the runners of several backends', async () => {
    const base = anAwsBase();
    const ports = await assemblePorts(base, [awsEvents, awsBatch, awsKubernetes]);
    const { clients: _, deployment: _place, ...own } = base;
    expect(ports).toMatchObject(own);
    expect(Object.keys(ports).sort()).toEqual([...Object.keys(own), 'events', 'jobs'].sort());
    expect(ports.jobs.batch?.backend).toBe('batch');
    expect(ports.jobs).toHaveProperty('eks', undefined);
    const deployment = { ...base.deployment, eksClusterName: 'cluster' };
    const { jobs } = await assemblePorts(anAwsBase({ deployment }), [awsKubernetes, awsBatch]);
    expect(Object.entries(jobs).map(([backend, runner]) => [backend, runner?.backend])).toEqual([
      ['eks', 'eks'],
      ['batch', 'batch'],
    ]);
  });

  it('ports from AWS are built once per process', async () => {
    let built = 0;
    const handler = defineHandler({
      name,
      input: z.object({}),
      aws: [awsEvents],
      create: ({ events }) => {
        built += 1;
        return async () => Object.keys(events);
      },
    });
    const call = handler.withPorts(testPorts());
    const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 1000 } as Context;
    expect([await call({}, context), await call({}, context)]).toEqual([['publish'], ['publish']]);
    expect(built).toBe(1);
  });
});
