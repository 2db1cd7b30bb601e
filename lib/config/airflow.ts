import { z } from 'zod';

/** Runs that the DAG of jobs has to allow at a time, so that a night is not one job after the other. */
const maxActiveRuns = z.int().min(1).max(10_000).default(16);

/** `v1` is the REST API of Airflow 2.x, `v2` that of 3.x. */
const api = z.enum(['v1', 'v2']);

const overHttp = z.strictObject({
  mode: z.literal('http'),
  /** Address of its web server, without path; credentials are sent there, so nothing but https. */
  url: z.url({ protocol: /^https$/, error: 'must be an https address' }),
  api,
  /** Name of the secret in Secrets Manager: JSON with `username` and `password`. */
  secret: z.string().regex(/^[A-Za-z0-9/_+=.@-]{1,500}$/, 'must be the name of a secret'),
  maxActiveRuns,
});

const onMwaa = z.strictObject({
  mode: z.literal('mwaa'),
  /** Name of the environment of Amazon Managed Workflows for Apache Airflow. */
  environmentName: z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,79}$/, 'must be the name of an environment'),
  api,
  maxActiveRuns,
});

/** The section `airflow` of the settings: whether jobs of the eks backend are runs of an Airflow, and how it is reached. */
export const airflowSchema = z
  .discriminatedUnion('mode', [z.strictObject({ mode: z.literal('off') }), overHttp, onMwaa])
  .default({ mode: 'off' });

/** The section where it is not off. */
export type AirflowConfig = Readonly<z.infer<typeof overHttp> | z.infer<typeof onMwaa>>;

/** Airflow starts the jobs' pods in the cluster, and only functions that reach the cluster are in the network. */
export function checkAirflow(
  { airflow, kubernetes }: { readonly airflow: { readonly mode: string }; readonly kubernetes: 'on' | 'off' },
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void {
  if (airflow.mode === 'off' || kubernetes === 'on') return;
  const message = `is ${airflow.mode}, and "kubernetes" is off: Airflow starts the jobs' pods in the cluster`;
  context.addIssue({ code: 'custom', path: ['airflow', 'mode'], message });
}
