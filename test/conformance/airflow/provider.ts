import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AirflowApi } from '../../../lib/airflow/airflow-api.ts';
import { AirflowOverHttp } from '../../../lib/airflow/http-transport.ts';
import type { Compared } from './dags.ts';
import { type Expect, until } from './facts.ts';
import { type Installed, installProvider } from './install.ts';
import type { Server } from './server.ts';
import { type PlayedExecution, playStepFunctions } from './step-functions.ts';
import { withServer } from './with-server.ts';

type StepFunctions = Awaited<ReturnType<typeof playStepFunctions>>;

/** What the parts of the comparison work with. */
interface Stage {
  readonly server: Server;
  readonly api: AirflowApi;
  readonly aws: StepFunctions;
  readonly expect: Expect;
}

/** A run of a DAG whose one task is `train`. */
interface Driven {
  readonly dag: string;
  readonly runId: string;
}

const pathOf = ({ dag, runId }: Driven) => `/dags/${dag}/dagRuns/${runId}`;

async function begin({ api }: Stage, dag: string, runId: string, conf: object): Promise<Driven> {
  const logicalDate = api.api === 'v1' ? {} : { logical_date: null };
  const { status, body } = await until(
    () => api.call('POST', `/dags/${dag}/dagRuns`, { dag_run_id: runId, conf, ...logicalDate }),
    (answer) => answer.status < 300,
  );
  if (status >= 300) throw new Error(`${dag}: ${status} ${JSON.stringify(body)}`);
  return { dag, runId };
}

/** Waits until the task is in a state; gives the state that it is in then. */
async function reaches({ api }: Stage, driven: Driven, state: string): Promise<unknown> {
  const { body } = await until(
    () => api.call('GET', `${pathOf(driven)}/taskInstances/train`),
    (answer) => answer.body['state'] === state,
  );
  return body['state'];
}

async function resultOf({ api }: Stage, driven: Driven): Promise<unknown> {
  const path = `${pathOf(driven)}/taskInstances/train/xcomEntries/return_value`;
  const { body } = await api.call('GET', api.api === 'v1' ? path : `${path}?stringify=true`);
  return JSON.parse(String(body['value'] ?? null).replaceAll("'", '"'));
}

const mark = ({ api }: Stage, driven: Driven, state: 'failed' | 'success') =>
  api.call('PATCH', `${pathOf(driven)}/taskInstances/train`, {
    new_state: state,
    ...(api.api === 'v1' ? { dry_run: false } : {}),
  });

const clear = ({ api }: Stage, { dag, runId }: Driven) =>
  api.call('POST', `/dags/${dag}/clearTaskInstances`, {
    dry_run: false,
    dag_run_id: runId,
    task_ids: ['train'],
    only_failed: false,
    ...(api.api === 'v1' ? { reset_dag_runs: true } : {}),
  });

/** The newest execution, once it was stopped or the patience is over. */
const stopped = (execution: PlayedExecution) =>
  until(
    async () => execution,
    ({ status }) => status === 'ABORTED',
  );

const newest = ({ aws }: Stage) => [...aws.executions.values()].at(-1) as PlayedExecution;
const actions = ({ aws }: Stage) => aws.calls.splice(0).map(({ action }) => action);

async function succeedAndFail(stage: Stage): Promise<void> {
  const { expect, aws } = stage;
  const run = await begin(stage, 'deferred', 'good', { does: 'succeeds' });
  expect('a task that waits deferred succeeds', await reaches(stage, run, 'success'), 'success');
  expect('its XCom is the output', await resultOf(stage, run), { outcome: 'succeeded' });
  const machine = aws.calls[0]?.request['stateMachineArn'];
  const wanted = 'arn:aws:states:us-west-2:123456789012:stateMachine:epsilon-test-tenant-model-training:live';
  expect('the machine is started by its alias', machine, wanted);
  actions(stage);
  await clear(stage, run);
  await until(
    async () => aws.executions.size,
    (size) => size === 2,
  );
  expect('a success that is cleared', await reaches(stage, run, 'success'), 'success');
  expect('begins another execution', actions(stage), ['StartExecution']);
  const failed = await begin(stage, 'deferred', 'bad', { does: 'fails-once' });
  expect('an execution that fails fails the task', await reaches(stage, failed, 'failed'), 'failed');
  actions(stage);
  const again = await begin(stage, 'again', 'bad', { does: 'fails-once' });
  expect('a retry', await reaches(stage, again, 'success'), 'success');
  expect('redrives the execution', actions(stage), ['StartExecution', 'RedriveExecution']);
}

async function waitByEvent(stage: Stage): Promise<void> {
  const { expect, aws } = stage;
  const run = await begin(stage, 'eventful', 'ends', { does: 'waits' });
  await reaches(stage, run, 'deferred');
  await pause(6_000);
  aws.end(newest(stage), 'SUCCEEDED');
  expect(
    'an event ends a wait whose next question is ten minutes away',
    await reaches(stage, run, 'success'),
    'success',
  );
  expect('and the event is gone', aws.queue.left(), []);
}

async function killByUser(stage: Stage): Promise<void> {
  const { expect } = stage;
  const run = await begin(stage, 'deferred', 'marked', { does: 'waits' });
  await reaches(stage, run, 'deferred');
  await pause(4_000);
  await mark(stage, run, 'failed');
  const { status, error, cause } = await stopped(newest(stage));
  expect(
    'a deferred task that is marked failed stops its execution',
    [status, error, cause],
    ['ABORTED', 'AirflowTaskKilled', 'deferred/marked/train try 1'],
  );
  const cleared = await begin(stage, 'deferred', 'cleared', { does: 'waits' });
  await reaches(stage, cleared, 'deferred');
  await pause(4_000);
  actions(stage);
  await clear(stage, cleared);
  const execution = newest(stage);
  await until(
    async () => execution.redrives,
    (redrives) => redrives === 1,
  );
  expect('a deferred task that is cleared', execution.redrives, 1);
  execution.status = 'SUCCEEDED';
  expect('goes on with the same execution', await reaches(stage, cleared, 'success'), 'success');
  expect('which was stopped and redriven', actions(stage), ['StopExecution', 'RedriveExecution']);
  const held = await begin(stage, 'held', 'marked', { does: 'waits' });
  await reaches(stage, held, 'running');
  await until(
    async () => newest(stage).executionArn,
    (arn) => arn !== execution.executionArn,
  );
  await pause(3_000);
  await mark(stage, held, 'failed');
  expect('a task that waits in the worker', (await stopped(newest(stage))).error, 'AirflowTaskKilled');
}

async function killTriggerer(stage: Stage): Promise<void> {
  const { expect, server } = stage;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const run = await begin(stage, 'deferred', `triggerer-${signal}`, { does: 'waits' });
    await reaches(stage, run, 'deferred');
    await pause(5_000);
    actions(stage);
    server.kill('triggerer', signal);
    await pause(4_000);
    expect(
      `a triggerer that ends by ${signal} stops nothing`,
      [actions(stage), newest(stage).status],
      [[], 'RUNNING'],
    );
    server.start('triggerer');
    newest(stage).status = 'SUCCEEDED';
    expect('the next triggerer waits on', await reaches(stage, run, 'success'), 'success');
  }
}

async function watch(stage: Stage): Promise<void> {
  const { expect, aws } = stage;
  const arn = 'arn:aws:states:us-west-2:123456789012:execution:epsilon-test-nightly-training:night';
  aws.executions.set(arn, { executionArn: arn, does: 'waits', status: 'RUNNING', redrives: 0, endsFrom: 0 });
  const first = await begin(stage, 'watched', 'killed', { name: 'night' });
  await reaches(stage, first, 'deferred');
  await pause(4_000);
  actions(stage);
  await mark(stage, first, 'failed');
  await pause(4_000);
  expect('a sensor that is killed stops nothing', [actions(stage), newest(stage).status], [[], 'RUNNING']);
  const second = await begin(stage, 'watched', 'seen', { name: 'night' });
  await reaches(stage, second, 'deferred');
  newest(stage).status = 'SUCCEEDED';
  expect('a sensor sees the end', await reaches(stage, second, 'success'), 'success');
  expect('and has its output', await resultOf(stage, second), { outcome: 'succeeded' });
}

/** `airflow providers list`, then `airflow providers hooks`, in one process, because most of their time is its start. */
const listing = `
import sys
from airflow.__main__ import main
for what in ("list", "hooks"):
    sys.argv = ["airflow", "providers", what, "--output", "plain"]
    main()
`;

const extra = { environment: 'test', region_name: 'us-west-2', account_id: '123456789012' };

/** With the queue, whose events alone end a wait whose questions are ten minutes apart. */
const withQueue = (url: string) => ({ ...extra, ends_queue_url: `${url}/123456789012/ends` });

/** Airflow's own command line names the provider and its connection type. */
function isListed(installed: Installed, expect: Expect): void {
  const home = mkdtempSync(join(tmpdir(), 'airflow-listed-'));
  const listed = execFileSync(installed.python, ['-W', 'ignore', '-c', listing], {
    env: { ...process.env, AIRFLOW_HOME: home },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  expect('providers list shows it', /airflow-provider-epsilon .*0\.1\.0/.test(listed), true);
  expect('providers hooks shows its type', /epsilon +epsilon_provider\.hook\.EpsilonHook/.test(listed), true);
  rmSync(home, { recursive: true, force: true });
}

function writeDags(folder: string): void {
  cpSync(join(import.meta.dirname, 'provider_dags.py'), join(folder, 'provider_dags.py'));
  const examples = join('infra', 'airflow', 'provider', 'epsilon_provider', 'example_dags');
  cpSync(join(examples, 'example_epsilon.py'), join(folder, 'example_epsilon.py'));
}

/** Epsilon's provider in a real Airflow with all its processes, against played Step Functions. */
export async function compareProvider(installed: Installed): Promise<Compared> {
  installProvider(installed);
  const aws = await playStepFunctions();
  const variables = {
    AWS_ENDPOINT_URL_SFN: aws.url,
    AWS_ENDPOINT_URL_SQS: aws.url,
    AIRFLOW_CONN_EPSILON_DEFAULT: JSON.stringify({ conn_type: 'epsilon', extra }),
    AIRFLOW_CONN_EPSILON_EVENTS: JSON.stringify({ conn_type: 'epsilon', extra: withQueue(aws.url) }),
    // How soon a task of a triggerer that was killed is given to the next one.
    AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD: '10',
    AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC: '2',
  };
  try {
    const options = { writeDags, parts: ['scheduler', 'triggerer'], variables } as const;
    return await withServer(installed, options, async (server, expect) => {
      isListed(installed, expect);
      const { url, api: version, username, password } = server;
      const credentials = async () => ({ username, password });
      const api = new AirflowApi(new AirflowOverHttp({ url, api: version, credentials }));
      const stage = { server, api, aws, expect };
      for (const part of [succeedAndFail, waitByEvent, killByUser, killTriggerer, watch]) await part(stage);
      const { status } = await api.call('GET', '/dags/example_epsilon/details');
      expect('the example is a DAG', status, 200);
    });
  } finally {
    aws.close();
  }
}
