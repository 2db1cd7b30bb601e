import { tmpdir } from 'node:os';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { kept } from './kept.ts';

/*
 * The program that SDKs of any language run for a job's credentials (`credential_process`, aws-config beside this file). It takes no
 * arguments, writes credentials to stdout and nowhere else, and a refusal to stderr. A stage waits for it: it loads no more than what
 * the backend needs, and checks its few variables without a library.
 */

type Variables = Readonly<Record<string, string | undefined>>;

/** A variable of the job contract. Error: `CREDENTIALS_NOWHERE`. */
function variable(variables: Variables, name: string, form = /./): string {
  const value = variables[name] ?? '';
  if (!form.test(value))
    throw new EpsilonError('CREDENTIALS_NOWHERE', `${name} is ${value === '' ? 'not set' : `"${value}"`}.`);
  return value;
}

/** What credentials depend on: a folder for temporary files may outlive the attempt. */
const depends = [
  'EPSILON_CREDENTIALS_URL',
  'EPSILON_JOB_ROLE_ARN',
  'EPSILON_SESSION_TAGS',
  'EPSILON_RUN_ID',
  'EPSILON_TRAINING_STAGE',
  'EPSILON_ATTEMPT',
  'EPSILON_CREDENTIALS_TENANT',
  'EPSILON_OUTPUT',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
] as const;

/** Credentials in the form of `credential_process`, from whatever lends them where this job runs. */
async function credentials(variables: Variables): Promise<string> {
  const { EPSILON_CREDENTIALS_URL: url, EPSILON_JOB_ROLE_ARN: roleArn } = variables;
  if (url === undefined && roleArn === undefined)
    throw new EpsilonError(
      'CREDENTIALS_NOWHERE',
      'Neither EPSILON_CREDENTIALS_URL nor EPSILON_JOB_ROLE_ARN is set.',
    );
  const of = {
    region: variable(variables, 'AWS_REGION'),
    runId: variable(variables, 'EPSILON_RUN_ID'),
    stage: variable(variables, 'EPSILON_TRAINING_STAGE'),
  };
  if (url !== undefined) {
    const attempt = Number(variable(variables, 'EPSILON_ATTEMPT', /^[1-9]\d*$/));
    const { EPSILON_CREDENTIALS_TENANT: tenantId } = variables;
    const ownPath = variable(variables, 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', /^\//);
    return (await import('./from-api.ts')).fromApi({
      ...of,
      url,
      attempt,
      ownPath,
      ...(tenantId === undefined ? {} : { tenantId }),
    });
  }
  const output = variable(variables, 'EPSILON_OUTPUT', /^s3:\/\/[^/]+\/[^/]+\//);
  return (await import('./from-role.ts')).fromRole({
    ...of,
    roleArn: variable(variables, 'EPSILON_JOB_ROLE_ARN', /^arn:/),
    tenantId: output.split('/')[3] ?? '',
    tags: variables['EPSILON_SESSION_TAGS'] ?? '{}',
  });
}

try {
  const of = depends.map((name) => process.env[name] ?? '');
  const ask = () => credentials(process.env);
  process.stdout.write(`${await kept({ folder: tmpdir(), of, now: Date.now }, ask)}\n`);
} catch (error) {
  const { message } = error as Error;
  process.stderr.write(`no credentials for this job: ${message}\n`);
  process.exitCode = 1;
}
