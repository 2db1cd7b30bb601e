import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { AirflowApi } from '../../../../lib/airflow/airflow-api.ts';
import { AirflowOverHttp } from '../../../../lib/airflow/http-transport.ts';
import { AirflowOnMwaa } from '../../../../lib/aws/airflow/mwaa-transport.ts';
import { secretCredentials } from '../../../../lib/aws/airflow/secret-credentials.ts';
import { createClients } from '../../../../lib/aws/wiring/clients.ts';
import { wireKubernetes } from '../../../../lib/aws/wiring/wire-kubernetes.ts';
import { loadConfig } from '../../../../lib/config/load-config.ts';
import { readYaml } from '../../../../local/declaration/read-yaml.ts';
import { aJobSpec } from '../../../aws/batch-fixtures.ts';
import { anAwsBase, region } from '../../../fixtures/aws-base.ts';
import { PlayedAirflow } from '../../airflow/played-airflow.ts';

const secrets = mockClient(SecretsManagerClient);
const url = 'https://airflow.example.com';
const withSecret = (text: string) => secrets.on(GetSecretValueCommand).resolves({ SecretString: text });
const configOf = (airflow: object, kubernetes = 'on') =>
  loadConfig({
    file: readYaml('infra/config/dev.yml'),
    variables: { EPSILON_AIRFLOW: JSON.stringify(airflow), EPSILON_KUBERNETES: kubernetes },
  });
const http = { mode: 'http', url, api: 'v2', secret: 'epsilon/dev/airflow' };

beforeEach(() => {
  secrets.reset();
  vi.restoreAllMocks();
});

describe('the setting airflow', () => {
  it('is off where nobody names an Airflow', () => {
    expect(loadConfig({ file: readYaml('infra/config/prod.yml'), variables: {} }).airflow).toEqual({
      mode: 'off',
    });
    expect(configOf(http).airflow).toEqual({ ...http, maxActiveRuns: 16 });
  });

  it.each([
    [
      'an address that is not encrypted',
      { ...http, url: 'http://airflow.example.com' },
      'on',
      /airflow\.url.*https/,
    ],
    ['an unknown key', { ...http, password: 'x' }, 'on', /airflow\.password/],
    ['a mode that is none', { mode: 'on' }, 'on', /airflow\.mode/],
    ['no cluster for the pods', http, 'off', /airflow\.mode.*"kubernetes" is off/],
  ])('%s is refused by name', (_, airflow, kubernetes, message) => {
    expect(() => configOf(airflow, kubernetes)).toThrow(message);
  });
});

describe('credentials of an Airflow in Secrets Manager', () => {
  const open = (airflow: PlayedAirflow) =>
    new AirflowApi(
      new AirflowOverHttp({
        url,
        api: airflow.api,
        credentials: secretCredentials(createClients({ region }), 'epsilon/dev/airflow'),
        fetch: airflow.fetch,
      }),
    );

  it.each(['v1', 'v2'] as const)(
    'a password that was rotated is read again, and only then: %s',
    async (kind) => {
      const airflow = new PlayedAirflow(kind);
      const api = open(airflow);
      withSecret('{"username":"epsilon","password":"right"}');
      for (let calls = 0; calls < 3; calls += 1) await api.call('GET', '/dags/epsilon_stage/details');
      expect(secrets.calls()).toHaveLength(1);
      airflow.password = 'newer';
      airflow.faults.push([401, {}]);
      withSecret('{"username":"epsilon","password":"newer"}');
      expect((await api.call('GET', '/dags/epsilon_stage/details')).status).toBe(200);
      expect(secrets.calls()).toHaveLength(2);
    },
  );

  it('a secret that is no credentials is an error that does not show it', async () => {
    for (const text of ['hunter2', '{"user":"hunter2"}', '{"username":"","password":"hunter2"}']) {
      withSecret(text);
      const error = await open(new PlayedAirflow('v1')).call('GET', '/dags').catch(String);
      expect(error).toContain('no JSON object with "username"');
      expect(error).not.toContain('hunter2');
    }
  });

  it('a secret that is missing, or may not be read, is named', async () => {
    const fail = (name: string) =>
      secrets.on(GetSecretValueCommand).rejects(Object.assign(new Error(name), { name }));
    fail('ResourceNotFoundException');
    await expect(open(new PlayedAirflow('v2')).call('GET', '/dags')).rejects.toMatchObject({
      code: 'AIRFLOW_SECRET_MISSING',
    });
    fail('AccessDeniedException');
    await expect(open(new PlayedAirflow('v2')).call('GET', '/dags')).rejects.toMatchObject({
      code: 'AWS_ACCESS_DENIED',
    });
  });
});

describe('an Airflow on MWAA', () => {
  const answers: [status: number, body: unknown, type?: string][] = [];
  const asked: { url: string; body: unknown; authorization: string }[] = [];
  const api = new AirflowApi(
    new AirflowOnMwaa({
      environmentName: 'ours',
      api: 'v2',
      region,
      dnsSuffix: 'amazonaws.com',
      signer: async () => ({
        sign: async (request) => ({ ...request, headers: { ...request.headers, authorization: 'signed' } }),
      }),
      fetch: async (address, init) => {
        const headers = new Headers(init?.headers);
        asked.push({
          url: String(address),
          body: JSON.parse(String(init?.body)),
          authorization: headers.get('authorization') ?? '',
        });
        const [status, body, type = ''] = answers.shift() ?? [200, {}];
        return new Response(JSON.stringify(body), { status, headers: { 'x-amzn-errortype': type } });
      },
    }),
  );

  it('is asked by a signed InvokeRestApi, whose answer holds that of Airflow', async () => {
    answers.push([200, { RestApiStatusCode: 200, RestApiResponse: { dag_run_id: 'a' } }]);
    expect(await api.call('POST', '/dags/d/dagRuns', { dag_run_id: 'a' })).toEqual({
      status: 200,
      body: { dag_run_id: 'a' },
    });
    expect(asked.at(-1)).toEqual({
      url: `https://env.airflow.${region}.amazonaws.com/restapi/ours`,
      body: { Path: '/dags/d/dagRuns', Method: 'POST', Body: { dag_run_id: 'a' } },
      authorization: 'signed',
    });
  });

  it('answers of Airflow that are errors keep their status', async () => {
    answers.push([400, { RestApiStatusCode: 409, RestApiResponse: {} }, 'RestApiClientException']);
    expect((await api.call('POST', '/x', {})).status).toBe(409);
    answers.push([400, { RestApiStatusCode: 503, RestApiResponse: 'down' }, 'RestApiServerException']);
    await expect(api.call('POST', '/x', {})).rejects.toMatchObject({ name: 'Throttled', unclear: true });
  });

  it.each([
    ['AIRFLOW_ENVIRONMENT_MISSING', 404, 'ResourceNotFoundException:'],
    ['AIRFLOW_ACCESS_DENIED', 403, 'AccessDeniedException'],
    ['AIRFLOW_REFUSED', 400, 'ValidationException'],
    ['THROTTLED', 429, 'ThrottlingException'],
  ])('errors of the service itself are %s', async (code, status, type) => {
    answers.push([status, { message: 'no' }, type]);
    await expect(api.call('GET', '/x')).rejects.toMatchObject({ code });
  });
});

describe('the runner of a deployment whose jobs Airflow runs', () => {
  const runnerOf = (airflow: object) => {
    const base = anAwsBase({ config: configOf(airflow) });
    const deployment = { ...base.deployment, eksClusterName: 'cluster' };
    const { eks } = wireKubernetes({ ...base, deployment }).jobs;
    if (!eks) throw new Error('no runner');
    return eks;
  };

  it('starts a run with the pod of the Kubernetes runner and the bus that hears of its end', async () => {
    withSecret('{"username":"epsilon","password":"right"}');
    const airflow = new PlayedAirflow('v2');
    vi.stubGlobal('fetch', airflow.fetch);
    const runner = runnerOf(http);
    const spec = aJobSpec({ jobName: 'acme.night-train-1' });
    const ref = await runner.submit(spec);
    vi.unstubAllGlobals();
    expect(ref).toEqual({ jobName: spec.jobName, jobId: spec.jobName });
    expect(airflow.runs.get(spec.jobName)?.conf).toMatchObject({
      pod: runnerOf({ mode: 'off' }).podOf?.(spec),
      report: { bus: 'epsilon-dev', region, event: { detail: { data: { jobId: spec.jobName } } } },
    });
  });
});
