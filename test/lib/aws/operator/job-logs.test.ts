import { BatchClient, DescribeJobsCommand, ListJobsCommand } from '@aws-sdk/client-batch';
import {
  CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  GetLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createAwsJobLogs } from '../../../../lib/aws/operator/job-logs.ts';
import type { JobLogs } from '../../../../lib/ports/job-logs.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';

const batch = mockClient(BatchClient);
const logs = mockClient(CloudWatchLogsClient);
const region = { region: 'us-west-2' };
const failing = (name: string) => Object.assign(new Error(name), { name });
const at = Date.parse('2026-11-24T02:00:00Z');
const job = { jobName: 'acme-prepare-1', backend: 'batch' as const, jobId: 'id-1' };

const make = (clock = new VirtualClock(at)) =>
  createAwsJobLogs({
    batch: new BatchClient(region),
    logs: new CloudWatchLogsClient(region),
    clock,
    environment: 'dev',
    queues: ['spot-queue', 'on-demand-queue'],
  });

/** A stream that pages as CloudWatch does: a token per page, and the same one again at the end. */
function stream(pages: readonly (readonly string[])[]) {
  logs.on(GetLogEventsCommand).callsFake(({ nextToken, limit }: { nextToken?: string; limit?: number }) => {
    const page = nextToken === undefined ? 0 : Number(nextToken);
    const events = (pages[page] ?? []).slice(0, limit).map((message) => ({ message }));
    return { events, nextForwardToken: String(Math.min(page + 1, pages.length)) };
  });
}

/** Reads until nothing more is there, as `epsilon logs` does. */
async function readAll(from: JobLogs, what: Parameters<JobLogs['read']>[0], output: 'stdout' | 'stderr') {
  let text = '';
  for (let at = 0; ; ) {
    const chunk = await from.read(what, output, at);
    text += chunk.text;
    if (chunk.nextByte === at || chunk.ended) return { text, ended: chunk.ended, at: chunk.nextByte };
    at = chunk.nextByte;
  }
}

const detail = (over: object = {}) => ({
  jobs: [
    {
      jobId: 'id-1',
      jobName: job.jobName,
      jobQueue: 'q',
      status: 'RUNNING' as const,
      startedAt: at,
      jobDefinition: 'd',
      container: { logStreamName: 'prepare/default/task' },
      ...over,
    },
  ],
});

afterEach(() => {
  batch.reset();
  logs.reset();
});

describe('logs of Batch jobs', () => {
  it('logs of Batch are read page by page by byte offset, and only new lines cost a call', async () => {
    batch.on(DescribeJobsCommand).resolves(detail({ status: 'SUCCEEDED', stoppedAt: at - 60_000 }));
    stream([['{"message":"stage begins"}', 'ü'], [], ['done']]);
    const from = make();
    expect(await readAll(from, job, 'stdout')).toEqual({
      text: '{"message":"stage begins"}\nü\ndone\n',
      ended: true,
      at: 35,
    });
    expect(await from.read(job, 'stdout', 27)).toMatchObject({ text: 'ü\n' });
    expect(await readAll(from, job, 'stderr')).toEqual({ text: '', ended: true, at: 0 });
    expect(logs.commandCalls(GetLogEventsCommand)[0]?.args[0].input).toEqual({
      logGroupName: '/aws/batch/job',
      logStreamName: 'prepare/default/task',
      startFromHead: true,
    });
    expect(batch.commandCalls(DescribeJobsCommand)).toHaveLength(1);
  });

  it('logs of Batch follow a job: nothing before its first line, and no end before its last lines had time to arrive', async () => {
    const clock = new VirtualClock(at);
    const from = make(clock);
    batch.on(DescribeJobsCommand).resolves(detail({ status: 'RUNNABLE', container: {} }));
    expect(await from.read(job, 'stdout', 0)).toEqual({ text: '', nextByte: 0, ended: false });
    batch.on(DescribeJobsCommand).resolves(detail());
    logs.on(GetLogEventsCommand).rejects(failing('ResourceNotFoundException'));
    expect(await from.read(job, 'stdout', 0)).toEqual({ text: '', nextByte: 0, ended: false });
    const pages = [['one']];
    stream(pages);
    expect(await from.read(job, 'stdout', 0)).toEqual({ text: 'one\n', nextByte: 4, ended: false });
    expect(await from.read(job, 'stdout', 4)).toEqual({ text: '', nextByte: 4, ended: false });
    pages.push(['two']);
    batch.on(DescribeJobsCommand).resolves(detail({ status: 'FAILED', stoppedAt: at }));
    expect(await from.read(job, 'stdout', 4)).toEqual({ text: 'two\n', nextByte: 8, ended: false });
    expect(await from.read(job, 'stdout', 8)).toMatchObject({ ended: false });
    await clock.advance(15_000);
    expect(await from.read(job, 'stdout', 8)).toEqual({ text: '', nextByte: 8, ended: true });
  });

  it('logs of Batch are found by name when the submission was not recorded, in either queue, the newest job first', async () => {
    batch.on(ListJobsCommand, { jobQueue: 'spot-queue' }).resolves({ jobSummaryList: [] });
    batch.on(ListJobsCommand, { jobQueue: 'on-demand-queue' }).resolves({
      jobSummaryList: [
        { jobId: 'old', jobName: 'n', createdAt: 1 },
        { jobId: 'new', jobName: 'n', createdAt: 2 },
      ],
    });
    batch.on(DescribeJobsCommand).resolves(
      detail({
        container: {
          logStreamName: 's',
          logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': '/epsilon/dev/jobs' } },
        },
      }),
    );
    stream([['x']]);
    await make().read({ jobName: 'acme-prepare-1', backend: 'batch' }, 'stdout', 0);
    expect(batch.commandCalls(ListJobsCommand)[0]?.args[0].input).toEqual({
      jobQueue: 'spot-queue',
      filters: [{ name: 'JOB_NAME', values: ['acme-prepare-1'] }],
    });
    expect(batch.commandCalls(DescribeJobsCommand)[0]?.args[0].input).toEqual({ jobs: ['new'] });
    expect(logs.commandCalls(GetLogEventsCommand)[0]?.args[0].input.logGroupName).toBe('/epsilon/dev/jobs');
  });

  it('JOB_NOT_FOUND says that Batch deletes jobs, and where the lines still are', async () => {
    batch.on(ListJobsCommand).resolves({ jobSummaryList: [] });
    batch.on(DescribeJobsCommand).resolves({ jobs: [] });
    for (const which of [job, { jobName: 'x', backend: 'batch' as const }])
      await expect(make().read(which, 'stdout', 0)).rejects.toMatchObject({
        code: 'JOB_NOT_FOUND',
        message: expect.stringContaining('/aws/batch/job'),
      });
  });

  it.each([
    ['TooManyRequestsException', { name: 'Throttled' }],
    ['AccessDeniedException', { code: 'AWS_ACCESS_DENIED', details: { action: 'batch:DescribeJobs' } }],
    ['TimeoutError', { name: 'TimeoutError' }],
  ])('logs of Batch report %s with a code of their own', async (name, told) => {
    batch.on(DescribeJobsCommand).rejects(failing(name));
    await expect(make().read(job, 'stdout', 0)).rejects.toMatchObject(told);
  });
});

describe('logs of pods', () => {
  const pod = { jobName: 'acme-prepare-1', backend: 'eks' as const };
  const record = (log: string, output = 'stdout', jobName = pod.jobName) =>
    JSON.stringify({ log, stream: output, kubernetes: { labels: { 'job-name': jobName } } });

  it('logs of a pod are the lines that the log shipper wrote, by stream', async () => {
    logs
      .on(DescribeLogStreamsCommand)
      .resolves({ logStreams: [{ logStreamName: 'acme-prepare-1-x7k2p.stage' }] });
    stream([[record('{"message":"a"}\n'), record('oh', 'stderr'), 'not wrapped']]);
    const settled = { ...pod, settledAt: new Date(at - 60_000).toISOString() };
    const from = make();
    expect(await readAll(from, settled, 'stdout')).toMatchObject({
      text: '{"message":"a"}\nnot wrapped\n',
      ended: true,
    });
    expect(await readAll(from, settled, 'stderr')).toMatchObject({ text: 'oh\n', ended: true });
    expect(logs.commandCalls(DescribeLogStreamsCommand)[0]?.args[0].input).toEqual({
      logGroupName: '/epsilon/dev/pods',
      logStreamNamePrefix: 'acme-prepare-1-',
      limit: 50,
    });
  });

  it('logs of a job whose name is too long for its pod are distinguished by the label', async () => {
    const jobName = `${'a'.repeat(52)}-prepare-2`;
    logs.on(DescribeLogStreamsCommand).resolves({
      logStreams: [
        { logStreamName: 'two', creationTime: 2 },
        { logStreamName: 'one', creationTime: 1 },
      ],
    });
    logs.on(GetLogEventsCommand, { logStreamName: 'one' }).resolves({
      events: [{ message: record('first', 'stdout', `${'a'.repeat(52)}-prepare-1`) }],
      nextForwardToken: 't',
    });
    logs
      .on(GetLogEventsCommand, { logStreamName: 'two' })
      .resolves({ events: [{ message: record('second', 'stdout', jobName) }], nextForwardToken: 't' });
    expect(await make().read({ jobName, backend: 'eks' }, 'stdout', 0)).toMatchObject({ text: 'second\n' });
    const prefix = logs.commandCalls(DescribeLogStreamsCommand)[0]?.args[0].input.logStreamNamePrefix;
    expect(prefix).toHaveLength(58);
  });

  it('logs of a pod that has not written yet may still come; a settled one without any is not found', async () => {
    logs.on(DescribeLogStreamsCommand).resolves({ logStreams: [] });
    expect(await make().read(pod, 'stdout', 0)).toEqual({ text: '', nextByte: 0, ended: false });
    await expect(
      make().read({ ...pod, settledAt: new Date(at - 60_000).toISOString() }, 'stdout', 0),
    ).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it.each([
    [
      'ResourceNotFoundException',
      { code: 'JOB_NOT_FOUND', message: expect.stringContaining('docs/provision.md') },
    ],
    ['ThrottlingException', { name: 'Throttled' }],
    ['AccessDeniedException', { code: 'AWS_ACCESS_DENIED', details: { resource: '/epsilon/dev/pods' } }],
  ])('logs of a pod report %s with a code of their own', async (name, told) => {
    logs.on(DescribeLogStreamsCommand).rejects(failing(name));
    await expect(make().read(pod, 'stdout', 0)).rejects.toMatchObject(told);
  });

  it('logs of a job on another backend are refused', () => {
    expect(() => make().read({ jobName: 'j', backend: 'local' }, 'stdout', 0)).toThrow('not on AWS');
  });
});
