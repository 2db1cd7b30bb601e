import { execFile, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkSchema } from '../../lib/errors/check-schema.ts';
import {
  type AskedOfTenant,
  orderInput,
  type ProfiledData,
  type ProfiledDataset,
  type ProfiledDocuments,
  profiledSchema,
  profileOrderSchema,
  profilesFile,
} from '../../lib/quality/datasets/jobs.ts';
import { inputUri, type JobContext } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted } from '../job/run-job.ts';

const child = fileURLToPath(new URL('./profile-tenant.ts', import.meta.url));
const lender = fileURLToPath(new URL('../credentials/main.ts', import.meta.url));

/** Milliseconds after which a tenant's data is given up; credentials last as long. */
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

/** Credentials for one tenant's data alone, as variables; none where objects are files of this host. */
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

/** What was found of one thing that the order names. */
type Found = ProfiledDataset | ProfiledDocuments;

const tenantOf = (asked: AskedOfTenant) => ('dataset' in asked ? asked.dataset : asked.documents).tenantId;

function faultOf(asked: AskedOfTenant, message: string): Found {
  const fault = { code: 'DATASET_NOT_PROFILED', message: message.slice(0, 500) };
  const tenantId = tenantOf(asked);
  return 'dataset' in asked ? { tenantId, partitions: [], fault } : { tenantId, fault };
}

/** What a tenant's process found. What it says is checked: it has read what somebody else wrote. */
function answerOf(asked: AskedOfTenant, out: string): Found {
  const found = profiledSchema.parse(JSON.parse(out));
  const [own, ...others] = 'dataset' in asked ? found.datasets : found.documents;
  if (others.length === 0 && own?.tenantId === tenantOf(asked)) return own;
  throw new Error('it answered for another tenant');
}

/** Looks at one tenant's data in a process of its own, which has that tenant's credentials and no others. */
async function profileTenant(
  asked: AskedOfTenant,
  { signal, variables }: { signal: AbortSignal; variables: Variables },
): Promise<Found> {
  try {
    const env = { ...someOf(variables), ...(await credentialsOf(tenantOf(asked), variables)) };
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
    own.stdin.end(JSON.stringify(asked));
    const [code, out, err] = await Promise.all([ended, text(own.stdout), text(own.stderr)]);
    if (code === 0) return answerOf(asked, out);
    return faultOf(asked, err.trim().split('\n').at(-1) ?? `it ended with ${code}`);
  } catch (error) {
    return faultOf(asked, (error as Error).message);
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
 * Looks at one tenant's data after another's, datasets and documents, and writes what it found. What cannot be looked at keeps nothing else
 * waiting: its entry says why.
 */
export async function profileData(context: JobContext): Promise<Readonly<Record<string, unknown>>> {
  const order = await orderOf(context);
  const { maxBytes } = order;
  const datasets: ProfiledDataset[] = [];
  const documents: ProfiledDocuments[] = [];
  const asked: AskedOfTenant[] = [
    ...order.datasets.map((dataset) => ({ maxBytes, dataset })),
    ...order.documents.map((each) => ({ maxBytes, documents: each })),
  ];
  for (const each of asked) {
    const { signal } = context;
    // A job's environment is its input.
    const found = await profileTenant(each, { signal, variables: process.env });
    checkInterrupted(context);
    if ('partitions' in found) datasets.push(found);
    else documents.push(found);
    if (found.fault) context.progress('data not looked at', { of: found.tenantId, ...found.fault });
    context.report({
      done: datasets.length + documents.length,
      total: asked.length,
      unit: "tenants' datasets and documents",
    });
  }
  const left: ProfiledData = { datasets, documents };
  await context.objects.put(`${context.output}${profilesFile}`, JSON.stringify(left), {
    contentType: 'application/json',
  });
  return {
    datasets: datasets.length,
    partitions: datasets.reduce((sum, each) => sum + each.partitions.length, 0),
    documents: documents.length,
    faults: [...datasets, ...documents].filter(({ fault }) => fault !== undefined).length,
  };
}
