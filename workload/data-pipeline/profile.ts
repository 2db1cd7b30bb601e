import { execFile, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkSchema } from '../../lib/errors/check-schema.ts';
import {
  orderInput,
  type ProfiledDataset,
  profiledSchema,
  profileOrderSchema,
  profilesFile,
  type WantedDataset,
} from '../../lib/quality/datasets/jobs.ts';
import { inputUri, type JobContext } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted } from '../job/run-job.ts';

const child = fileURLToPath(new URL('./profile-tenant.ts', import.meta.url));
const lender = fileURLToPath(new URL('../credentials/main.ts', import.meta.url));

/** Milliseconds after which a tenant's datasets are given up; credentials last as long. */
const longest = 12 * 60_000;

/** Variables that a tenant's process may have. Those by which this job could ask for others' credentials stay here. */
const passedOn = [
  'PATH',
  'HOME',
  'LANG',
  'TMPDIR',
  'AWS_REGION',
  'AWS_ENDPOINT_URL',
  'EPSILON_OBJECTS_ROOT',
  'NODE_ENV',
] as const;

type Variables = Readonly<Record<string, string | undefined>>;

const someOf = (variables: Variables): Record<string, string> =>
  Object.fromEntries(
    passedOn.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]])),
  );

/** Credentials for one tenant's dataset alone, as variables; none where objects are files of this host. */
async function credentialsOf(tenantId: string, variables: Variables): Promise<Record<string, string>> {
  if (variables['EPSILON_CREDENTIALS_URL'] === undefined && variables['EPSILON_JOB_ROLE_ARN'] === undefined)
    return {};
  const env = { ...variables, EPSILON_CREDENTIALS_TENANT: tenantId } as NodeJS.ProcessEnv;
  const { stdout } = await promisify(execFile)(process.execPath, [lender], { env });
  const given = JSON.parse(stdout) as Readonly<Record<string, string>>;
  return {
    AWS_ACCESS_KEY_ID: given['AccessKeyId'] ?? '',
    AWS_SECRET_ACCESS_KEY: given['SecretAccessKey'] ?? '',
    AWS_SESSION_TOKEN: given['SessionToken'] ?? '',
  };
}

const faultOf = (tenantId: string, code: string, message: string): ProfiledDataset => ({
  tenantId,
  partitions: [],
  fault: { code, message: message.slice(0, 500) },
});

/** What a tenant's process found. What it says is checked: it has read what somebody else wrote. */
function answerOf(tenantId: string, out: string): ProfiledDataset {
  const { datasets } = profiledSchema.parse(JSON.parse(out));
  const [own] = datasets;
  if (datasets.length === 1 && own?.tenantId === tenantId) return own;
  throw new Error('it answered for another tenant');
}

/** Looks at one tenant's dataset in a process of its own, which has that tenant's credentials and no others. */
async function profileTenant(
  dataset: WantedDataset,
  { maxBytes, signal, variables }: { maxBytes: number; signal: AbortSignal; variables: Variables },
): Promise<ProfiledDataset> {
  const { tenantId } = dataset;
  try {
    const env = { ...someOf(variables), ...(await credentialsOf(tenantId, variables)) };
    const own = spawn(process.execPath, ['--max-old-space-size=256', child], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env,
      timeout: longest,
      killSignal: 'SIGKILL',
      signal,
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      own.once('error', reject);
      own.once('close', resolve);
    });
    own.stdin.on('error', () => {});
    own.stdin.end(JSON.stringify({ dataset, maxBytes }));
    const [code, out, err] = await Promise.all([ended, text(own.stdout), text(own.stderr)]);
    if (code === 0) return answerOf(tenantId, out);
    return faultOf(
      tenantId,
      'DATASET_NOT_PROFILED',
      err.trim().split('\n').at(-1) ?? `it ended with ${code}`,
    );
  } catch (error) {
    return faultOf(tenantId, 'DATASET_NOT_PROFILED', (error as Error).message);
  }
}

async function orderOf(context: JobContext) {
  const body = new TextDecoder().decode(await context.objects.get(inputUri(context, orderInput)));
  const parsed = checkSchema(profileOrderSchema, JSON.parse(body));
  if (parsed.success) return parsed.data;
  throw new JobFailure(
    jobExit.config,
    'ORDER_INVALID',
    `The order is none: ${[...parsed.fault.path, parsed.fault.sentence].join(' ').slice(0, 300)}.`,
  );
}

/**
 * Looks at the partitions of one tenant's dataset after another's and writes what it found. A dataset that cannot be looked at keeps no other
 * one waiting: its entry says why.
 */
export async function profileDatasets(context: JobContext): Promise<Readonly<Record<string, unknown>>> {
  const { maxBytes, datasets } = await orderOf(context);
  const found: ProfiledDataset[] = [];
  for (const dataset of datasets) {
    const { signal } = context;
    // A job's environment is its input.
    found.push(await profileTenant(dataset, { maxBytes, signal, variables: process.env }));
    checkInterrupted(context);
    context.report({ done: found.length, total: datasets.length, unit: 'datasets' });
  }
  const faults = found.filter(({ fault }) => fault !== undefined);
  for (const { tenantId, fault } of faults)
    context.progress('dataset not looked at', { of: tenantId, ...fault });
  await context.objects.put(`${context.output}${profilesFile}`, JSON.stringify({ datasets: found }), {
    contentType: 'application/json',
  });
  const partitions = found.reduce((sum, each) => sum + each.partitions.length, 0);
  return { datasets: found.length, partitions, faults: faults.length };
}
