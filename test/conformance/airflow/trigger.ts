import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Compared } from './dags.ts';
import { facts } from './facts.ts';
import { type Installed, installProvider } from './install.ts';
import { playStepFunctions } from './step-functions.ts';

const here = (file: string) => join(import.meta.dirname, file);

/** What a trigger does when it is cancelled, by what became of its task; no process of Airflow runs. */
export async function compareTrigger(installed: Installed): Promise<Compared> {
  installProvider(installed);
  const { found, expect } = facts(installed.version);
  const home = mkdtempSync(join(tmpdir(), 'airflow-trigger-'));
  const folder = join(home, 'dags');
  const aws = await playStepFunctions();
  const extra = { environment: 'test', region_name: 'us-west-2', account_id: '123456789012' };
  const env = {
    ...process.env,
    AIRFLOW_HOME: home,
    AIRFLOW__CORE__DAGS_FOLDER: folder,
    AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    AIRFLOW_CONN_EPSILON_DEFAULT: JSON.stringify({ conn_type: 'epsilon', extra }),
    AIRFLOW_CONN_AWS_DEFAULT: 'aws://',
    AWS_ENDPOINT_URL_SFN: aws.url,
    AWS_ENDPOINT_URL_SQS: aws.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  const python = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await promisify(execFile)(installed.python, args, { env });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  };
  try {
    mkdirSync(folder);
    cpSync(here('provider_dags.py'), join(folder, 'provider_dags.py'));
    execFileSync(installed.python, ['-m', 'airflow', 'db', 'migrate'], { env, stdio: 'ignore' });
    const run = (await python(here('drive.py'), folder, 'deferred', '{"does":"succeeds"}', '{}')) as {
      readonly state: string;
    };
    expect('a deferred task succeeds', run.state, 'success');
    aws.queue.put('no event');
    aws.queue.put(JSON.stringify({ detail: { executionArn: 'arn:of:another:triggerer' } }));
    const seen = (await python('-W', 'ignore', here('trigger.py'))) as [string, unknown, unknown][];
    for (const [what, is, wanted] of seen) expect(what, is, wanted);
    // Ends of executions that nobody waited for came later, when nobody read.
    const early = aws.queue.left().filter((body) => !body.includes('aws.states'));
    expect("what is no event was deleted, what is another triggerer's was not", early, [
      JSON.stringify({ detail: { executionArn: 'arn:of:another:triggerer' } }),
    ]);
    expect('one reader for all triggers', aws.queue.facts().mostReceiving, 1);
    expect('facts of the trigger', seen.length >= 5, true);
  } finally {
    aws.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
  return found;
}
