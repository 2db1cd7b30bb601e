import { beforeEach, describe, expect, it } from 'vitest';
import { AirflowApi } from '../../../lib/airflow/airflow-api.ts';
import { AirflowJobRunner } from '../../../lib/airflow/airflow-job-runner.ts';
import { AirflowOverHttp } from '../../../lib/airflow/http-transport.ts';
import { jobEventOf, jobEventSchema } from '../../../lib/event-schemas/job-event.ts';
import { jobNameOf } from '../../../lib/training/attempts/job-name.ts';
import { aJobSpec, Objects } from '../../aws/batch-fixtures.ts';
import { describeJobRunner } from '../../contract/job-runner.ts';
import { PlayedAirflow } from './played-airflow.ts';

function open(kind: 'v1' | 'v2', password = 'right') {
  const airflow = new PlayedAirflow(kind);
  const objects = new Objects();
  const api = new AirflowApi(
    new AirflowOverHttp({
      url: 'http://airflow.test:8080',
      api: kind,
      credentials: async () => ({ username: 'epsilon', password }),
      fetch: airflow.fetch,
    }),
  );
  const runner = new AirflowJobRunner({
    api,
    objects,
    podOf: ({ jobName }) => ({ metadata: { name: jobName } }),
  });
  return { airflow, objects, runner };
}

const spec = (does: string, jobName: string) => {
  const outputUri = `s3://data-bucket/acme/runs/${jobName}/`;
  return aJobSpec({ jobName, arguments: [does], outputUri });
};

for (const kind of ['v1', 'v2'] as const)
  describeJobRunner(`Airflow ${kind}, played`, async () => {
    const { airflow, objects, runner } = open(kind);
    return {
      runner,
      spec,
      ended: async (jobName) => {
        airflow.start(jobName);
        objects.texts.set(`s3://data-bucket/acme/runs/${jobName}/result.json`, '{"answer":42}');
        airflow.end(jobName);
        const observed = await runner.find(jobName);
        if (!observed) throw new Error(`${jobName} is unknown`);
        return observed;
      },
      starts: (jobName) => [...airflow.runs.keys()].filter((id) => id === jobName).length,
      close: async () => {},
    };
  });

describe.each(['v1', 'v2'] as const)('jobs as runs of Airflow, API %s', (kind) => {
  let opened: ReturnType<typeof open>;
  beforeEach(() => {
    opened = open(kind);
  });

  it('two tenants of one night have two runs, whose logical dates do not collide', async () => {
    const { runner, airflow } = opened;
    await runner.submit(spec('waits', 'acme.2026-11-24.train.1'));
    await runner.submit(spec('waits', 'zeta.2026-11-24.train.1'));
    const dates = [...airflow.runs.values()].map(({ logicalDate }) => logicalDate);
    expect(dates).toHaveLength(2);
    if (kind === 'v2') expect(dates).toEqual([null, null]);
    else {
      expect(new Set(dates).size).toBe(2);
      for (const date of dates) expect(date).toMatch(/^200\d-.*\.\d{6}\+00:00$/);
    }
  });

  it("a look at a tenant's data is a run like any other, and its end is an event that Epsilon takes", async () => {
    const airflow = new PlayedAirflow(kind);
    const runner = new AirflowJobRunner({
      api: new AirflowApi(
        new AirflowOverHttp({
          url: 'http://airflow.test:8080',
          api: kind,
          credentials: async () => ({ username: 'epsilon', password: 'right' }),
          fetch: airflow.fetch,
        }),
      ),
      objects: new Objects(),
      podOf: ({ jobName }) => ({ metadata: { name: jobName } }),
      report: { bus: 'epsilon', region: 'eu-central-1' },
    });
    const of = {
      tenantId: 'acme',
      runId: 'acme-0123456789abcdef0123',
      stage: 'profile',
      attempt: 1,
    } as const;
    const jobName = jobNameOf(of, 'eks');
    const environment = { EPSILON_INPUTS: '{"order":"s3://data/acme/runs/x/order.json"}' };
    const outputUri = `s3://data-bucket/acme/runs/${of.runId}/profile/1/`;
    const look = { arguments: ['--tenant-id', 'acme', '--profile'], environment, outputUri };
    await runner.submit(aJobSpec({ ...of, ...look, jobName }));
    const conf = airflow.runs.get(jobName)?.conf as unknown as { report: { event: object } };
    expect(conf).toMatchObject({ ...look, stage: 'profile', pod: { metadata: { name: jobName } } });
    // What infra/airflow/dags/epsilon_tasks.py adds when the pod has ended.
    const { event } = conf.report as { event: { detail: { data: object } } };
    const ended = { state: 'succeeded', reason: 'completed', exitCode: 0, result: { datasets: 1 } };
    const detail = { ...event.detail, data: { ...event.detail.data, ...ended } };
    const parsed = jobEventSchema.parse({ id: 'e', ...event, detail });
    expect(jobEventOf(parsed, 'data-bucket')).toMatchObject({ ...of, observed: { jobName, ...ended } });
  });

  it('a conflict with a run of another id is no submission', async () => {
    const { runner, airflow } = opened;
    airflow.faults.push([200, airflow.dag], [409, {}]);
    if (kind === 'v2') {
      airflow.faults.unshift([201, { access_token: 'token-0' }]);
      await expect(runner.submit(spec('waits', 'a-1'))).rejects.toMatchObject({ code: 'JOB_NAME_TAKEN' });
      expect(airflow.runs.size).toBe(0);
    } else {
      await runner.submit(spec('waits', 'a-1'));
      expect([...airflow.runs.keys()]).toEqual(['a-1']);
    }
  });

  it('a queued run is a pending job, never a lost one', async () => {
    const { runner } = opened;
    const ref = await runner.submit(spec('waits', 'a-1'));
    expect((await runner.observe([ref])).get('a-1')).toMatchObject({ state: 'pending' });
  });

  it('a run that fails without the end of a container is lost', async () => {
    const { runner, airflow } = opened;
    await runner.submit(spec('waits', 'a-1'));
    const run = airflow.runs.get('a-1');
    if (run) run.state = 'failed';
    expect(await runner.find('a-1')).toMatchObject({ state: 'failed', reason: 'lost' });
  });

  it.each([
    ['AIRFLOW_DAG_MISSING', undefined],
    ['AIRFLOW_DAG_PAUSED', { is_paused: true, max_active_runs: 16 }],
    ['AIRFLOW_DAG_LIMIT', { is_paused: false, max_active_runs: 1 }],
  ])('nothing is submitted when Airflow would not run it: %s', async (code, dag) => {
    const { runner, airflow } = opened;
    airflow.dag = dag;
    await expect(runner.submit(spec('waits', 'a-1'))).rejects.toMatchObject({ code });
    expect(airflow.runs.size).toBe(0);
  });

  it('wrong credentials are an error of their own, without the password in it', async () => {
    const { runner } = open(kind, 'wrong-secret');
    const error = await runner.find('a-1').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'AIRFLOW_ACCESS_DENIED' });
    expect(String(error)).not.toContain('wrong-secret');
  });

  it('a server that is down may be asked again, and may have done what it was asked for', async () => {
    const { runner, airflow } = opened;
    await runner.ready();
    airflow.faults.push([200, airflow.dag], new TypeError('fetch failed'));
    await expect(runner.submit(spec('waits', 'a-1'))).rejects.toMatchObject({
      name: 'Throttled',
      unclear: true,
    });
    airflow.faults.push([503, { detail: 'starting' }]);
    await expect(runner.find('a-1')).rejects.toMatchObject({ name: 'Throttled', unclear: false });
    expect(await runner.submit(spec('waits', 'a-1'))).toEqual({ jobName: 'a-1', jobId: 'a-1' });
  });

  it('a page of a proxy instead of JSON is refused with its status', async () => {
    const { runner, airflow } = opened;
    await runner.ready();
    airflow.faults.push([400, 'no']);
    await expect(runner.find('a-1')).rejects.toMatchObject({ code: 'AIRFLOW_REFUSED' });
  });

  it('the whole job contract is the run, with the pod', async () => {
    const { runner, airflow } = opened;
    await runner.submit(spec('waits', 'a-1'));
    expect(airflow.runs.get('a-1')?.conf).toMatchObject({
      jobName: 'a-1',
      stage: 'train',
      pod: { metadata: { name: 'a-1' } },
      environment: { EPSILON_ATTEMPT: '1' },
    });
  });
});

describe('the token of Airflow 3', () => {
  it('an expired token is asked for again, once', async () => {
    const { runner, airflow } = open('v2');
    await runner.ready();
    airflow.faults.push([401, { detail: 'expired' }]);
    await runner.ready();
    expect(airflow.tokens).toBe(2);
  });
});
