import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AirflowApi } from '../../../lib/airflow/airflow-api.ts';
import { AirflowJobRunner } from '../../../lib/airflow/airflow-job-runner.ts';
import { AirflowOverHttp } from '../../../lib/airflow/http-transport.ts';
import { jobEventSchema } from '../../../lib/event-schemas/job-event.ts';
import { isOver } from '../../../lib/training/attempts/job.ts';
import { aJobSpec, Objects } from '../../aws/batch-fixtures.ts';
import type { Compared } from './dags.ts';
import { type Expect, errorOf, until } from './facts.ts';
import type { Installed } from './install.ts';
import { type Server, type ServerOptions, writeJobDags } from './server.ts';
import { withServer } from './with-server.ts';

const specOf = (does: string, jobName: string) =>
  aJobSpec({ jobName, arguments: [does], outputUri: `s3://data-bucket/acme/runs/${jobName}/` });

function runnerOf({ url, api, username, password }: Server, objects: Objects): AirflowJobRunner {
  const access = new AirflowApi(
    new AirflowOverHttp({ url, api, credentials: async () => ({ username, password }) }),
  );
  return new AirflowJobRunner({
    api: access,
    objects,
    podOf: ({ jobName }) => ({
      metadata: { name: jobName },
      spec: { containers: [{ name: 'job', image: 'i' }] },
    }),
    report: { bus: 'epsilon-test', region: 'us-west-2' },
  });
}

/** Data of an event "Job State Change" that Airflow has put on the bus. */
type ReportedEnd = Readonly<Record<string, unknown>>;

/** EventBridge, as far as a job's end is put there: what is put is an event that Epsilon's function takes. */
async function serveBus() {
  const ends: ReportedEnd[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { Entries: entries } = JSON.parse(Buffer.concat(chunks).toString()) as {
        readonly Entries: readonly Readonly<
          Record<'Source' | 'DetailType' | 'Detail' | 'EventBusName', string>
        >[];
      };
      for (const { Source: source, DetailType: type, Detail: detail, EventBusName: name } of entries) {
        const event = jobEventSchema.parse({ source, 'detail-type': type, detail: JSON.parse(detail) });
        if (event.source === 'epsilon.jobs' && name === 'epsilon-test') ends.push(event.detail.data);
      }
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end(JSON.stringify({ FailedEntryCount: 0, Entries: entries.map(() => ({ EventId: '1' })) }));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ends,
    close: () => server.close(),
  };
}

/** Works with a real Airflow that runs Epsilon's jobs, and with the bus that hears of their ends. */
async function withJobs(
  installed: Installed,
  parts: ServerOptions['parts'],
  work: (server: Server, expect: Expect, bus: readonly ReportedEnd[]) => Promise<void>,
): Promise<Compared> {
  const bus = await serveBus();
  const variables = { AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url };
  try {
    return await withServer(installed, { writeDags: writeJobDags, parts, variables }, (server, expect) =>
      work(server, expect, bus.ends),
    );
  } finally {
    bus.close();
  }
}

async function askServer(server: Server, expect: Expect): Promise<void> {
  const runner = runnerOf(server, new Objects());
  const ready = await until(
    () => runner.ready(),
    () => true,
  );
  expect('the DAG is ready', ready.maxActiveRuns, 16);
  const first = await runner.submit(specOf('waits', 'acme.night.train.1'));
  expect('a duplicate is the same run', await runner.submit(specOf('fails', 'acme.night.train.1')), first);
  const second = await runner.submit(specOf('waits', 'zeta.night.train.1'));
  expect('another tenant of the night has a run', second.jobId, 'zeta.night.train.1');
  const seen = await runner.observe([first, second]);
  expect(
    'queued runs are pending',
    [...seen.values()].map(({ state }) => state),
    ['pending', 'pending'],
  );
  await runner.cancel(first, 'not needed');
  const stopped = await runner.find(first.jobName);
  const wanted = ['failed', 'cancelled', 'not needed'];
  expect('a cancelled job', [stopped?.state, stopped?.reason, stopped?.message], wanted);
  await runner.cancel(first, 'again');
  expect('a second cancellation', (await runner.find(first.jobName))?.message, 'not needed');
  expect('an unknown job', await runner.find('never'), undefined);
  const wrong = runnerOf({ ...server, password: 'wrong' }, new Objects());
  expect('wrong credentials', await errorOf(wrong.find('never')), 'AIRFLOW_ACCESS_DENIED');
  server.kill('web');
  await pause(1_000);
  expect('a server that is down', await errorOf(runner.find(first.jobName)), 'THROTTLED');
  expect(
    'a submission to it',
    await errorOf(runner.submit(specOf('waits', 'beta.night.train.1'))),
    'THROTTLED',
  );
  server.start('web');
  const back = await until(
    () => runner.find(second.jobName),
    () => true,
  );
  expect('a server that is back knows its runs', back?.state, 'pending');
  const again = await runner.submit(specOf('waits', 'beta.night.train.1'));
  expect('a submission that is repeated then', (await runner.find(again.jobName))?.state, 'pending');
}

/** Epsilon's jobs as runs of a real Airflow, through its API server; nothing runs tasks. */
export function compareApi(installed: Installed): Promise<Compared> {
  return withJobs(installed, [], askServer);
}

async function runTasks(server: Server, expect: Expect, bus: readonly ReportedEnd[]): Promise<void> {
  const objects = new Objects();
  const runner = runnerOf(server, objects);
  const ended = (jobName: string) =>
    until(
      () => runner.find(jobName),
      (seen) => seen !== undefined && isOver(seen.state),
    );
  const outcome = async (jobName: string) => {
    const seen = await ended(jobName);
    return [seen?.state, seen?.reason, seen?.exitCode];
  };
  await until(
    () => runner.ready(),
    () => true,
  );
  objects.texts.set('s3://data-bucket/acme/runs/acme.night.train.1/result.json', '{"answer":42}');
  await runner.submit(specOf('succeeds', 'acme.night.train.1'));
  await runner.submit(specOf('fails', 'acme.night.train.2'));
  await runner.submit(specOf('rejects', 'acme.night.train.3'));
  expect('a job succeeds', await outcome('acme.night.train.1'), ['succeeded', 'completed', 0]);
  expect('with its result', (await ended('acme.night.train.1'))?.result, { answer: 42 });
  expect('a failure', await outcome('acme.night.train.2'), ['failed', 'error', 1]);
  expect('a rejection', await outcome('acme.night.train.3'), ['failed', 'error', 65]);
  const long = await runner.submit(specOf('waits', 'acme.night.train.4'));
  const running = await until(
    () => runner.find(long.jobName),
    (seen) => seen?.state === 'running',
  );
  expect('a running job', running?.state, 'running');
  await runner.cancel(long, 'not needed');
  expect('a running job is cancelled', (await ended(long.jobName))?.reason, 'cancelled');
  const reported = bus.map(({ jobName, state, reason, exitCode }) => [jobName, state, reason, exitCode]);
  expect('ends that were put on the bus', reported.toSorted(), [
    ['acme.night.train.1', 'succeeded', 'completed', 0],
    ['acme.night.train.2', 'failed', 'error', 1],
    ['acme.night.train.3', 'failed', 'error', 65],
  ]);
  await loseScheduler(server, runner, expect);
}

/** The scheduler is killed with the task that it runs: what waits stays pending, what ran is lost, and what waited runs. */
async function loseScheduler(server: Server, runner: AirflowJobRunner, expect: Expect): Promise<void> {
  const running = await runner.submit(specOf('waits', 'acme.night.train.5'));
  const state = async (jobName: string, wanted: string) =>
    (
      await until(
        () => runner.find(jobName),
        (seen) => seen?.state === wanted,
      )
    )?.state;
  await state(running.jobName, 'running');
  // Long enough for the task itself: the run is called so before its task is.
  await pause(8_000);
  server.kill('scheduler');
  const waiting = await runner.submit(specOf('succeeds', 'acme.night.train.6'));
  await pause(3_000);
  const seen = await runner.observe([running, waiting]);
  expect(
    'jobs of a scheduler that was killed are not lost yet',
    [seen.get(running.jobName)?.state, seen.get(waiting.jobName)?.state],
    ['running', 'pending'],
  );
  server.start('scheduler');
  expect('a job that waited for the scheduler', await state(waiting.jobName, 'succeeded'), 'succeeded');
  await state(running.jobName, 'failed');
  const { reason, exitCode } = (await runner.find(running.jobName)) ?? {};
  expect(
    'a job that the scheduler took with it',
    [reason, exitCode ?? 'no exit code'],
    ['lost', 'no exit code'],
  );
  const removed = await until(
    () => readFile(join(server.home, 'removed'), 'utf8').catch(() => ''),
    (text) => text !== '',
  );
  expect('the pod that it left behind is removed', removed, 'ml-jobs/acme.night.train.5-left\n');
}

/** The same with what runs tasks, whose pods are played: how jobs end. */
export function compareTasks(installed: Installed): Promise<Compared> {
  return withJobs(installed, ['scheduler'], runTasks);
}
