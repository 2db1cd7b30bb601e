import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../../lib/system/system-clock.ts';
import { loadLocalService } from '../../../local/declaration/local-service.ts';
import { checkJob } from '../../../local/job-check/check-job.ts';
import { call } from '../../cli/harness.ts';
import { freshDir } from '../../fresh-dir.ts';

const variables = { PATH: process.env['PATH'] };

const sleep = (ms: number) => `await new Promise((done) => setTimeout(done, ${ms}));`;

/** A job that keeps the contract, in parts that a test can replace. */
const parts = {
  begin: `
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, appendFileSync, writeFileSync } from 'node:fs';
const { env } = process;
const uri = (text) => text.replace('s3://', env.EPSILON_OBJECTS_ROOT + '/').replace('file://', '');
const folder = uri(env.EPSILON_OUTPUT);
const inputs = JSON.parse(env.EPSILON_INPUTS);`,
  contract: 'if (env.EPSILON_CONTRACT !== "2") process.exit(78);',
  input: 'if (!existsSync(uri(inputs.documents))) process.exit(66);',
  sigterm: 'process.on("SIGTERM", () => process.exit(143));',
  progress: `appendFileSync(env.EPSILON_PROGRESS_PATH, '{"at":"2026-01-01T00:00:00Z","done":1,"unit":"documents"}\\n');`,
  // Long enough for SIGTERM to come in time on a host that is busy.
  work: sleep(500),
  output: `
mkdirSync(folder, { recursive: true });
writeFileSync(folder + 'data.txt', 'data');`,
  manifest: `
const sha256 = createHash('sha256').update('data').digest('hex');
writeFileSync(folder + 'manifest.json', JSON.stringify({ files: [{ name: 'data.txt', bytes: 4, sha256 }] }));`,
  result: `
const result = JSON.stringify({ documents: 3 });
writeFileSync(folder + 'result.json', result);
writeFileSync(env.EPSILON_RESULT_PATH, result);`,
};

/** Codes that a check of the job finds, by step. */
async function found(over: Partial<typeof parts> = {}, command?: (script: string) => string[]) {
  const folder = freshDir();
  const script = join(folder, 'job.mjs');
  writeFileSync(script, Object.values({ ...parts, ...over }).join('\n'));
  const projectDir = resolve('.');
  const { steps } = await checkJob({
    clock: new SystemClock(),
    place: { projectDir, variables, workloads: loadLocalService(projectDir, variables).config.workloads },
    subject: { command: command?.(script) ?? [process.execPath, 'job.mjs'], folder, stage: 'prepare' },
    seconds: 20,
    grace: 0.3,
    keep: false,
    signal: new AbortController().signal,
    onStage: () => {},
  });
  return steps.flatMap(({ findings }) => findings.map(({ code }) => code));
}

describe.concurrent('a check of a job against the contract', () => {
  it('finds nothing where the job keeps it', async () => {
    expect(await found()).toEqual([]);
  });

  const wrapped = (script: string) => ['sh', '-c', `"${process.execPath}" "${script}"; exit $?`];

  it.each<[string, Partial<typeof parts>, string[], ((script: string) => string[]) | undefined]>([
    ['a wrapper that keeps SIGTERM', {}, ['WRAPPER_KEEPS_SIGNAL'], wrapped],
    [
      'nothing in a wrapper that hands over by exec',
      {},
      [],
      (script) => ['sh', '-c', `exec "${process.execPath}" "${script}"`],
    ],
    [
      'no ear for SIGTERM',
      { sigterm: 'process.on("SIGTERM", () => setInterval(() => {}, 1_000));' },
      ['IGNORES_SIGTERM'],
      undefined,
    ],
    [
      'another code after SIGTERM, a file that no manifest names, a result that is not below the output',
      {
        sigterm: 'process.on("SIGTERM", () => process.exit(1));',
        output: `${parts.output}\nwriteFileSync(folder + 'more.txt', '');`,
        result: 'writeFileSync(env.EPSILON_RESULT_PATH, "{}");',
      },
      ['RESULT_NOT_IN_OUTPUT', 'MANIFEST_WRONG', 'SIGTERM_EXIT_CODE'],
      undefined,
    ],
    [
      'a result of 5 KB, no manifest, no progress, a file beside the output, a process that is left',
      {
        result: 'writeFileSync(env.EPSILON_RESULT_PATH, "x".repeat(5000));',
        manifest: '',
        progress: '',
        work: `writeFileSync(env.EPSILON_OBJECTS_ROOT + '/stray', '');
          (await import('node:child_process')).spawn('sleep', ['75'], { detached: true, stdio: 'ignore' }).unref();`,
      },
      ['RESULT_TOO_LARGE', 'MANIFEST_MISSING', 'NO_PROGRESS', 'WRITES_ELSEWHERE', 'LEAVES_PROCESSES'],
      undefined,
    ],
    [
      'no result, any input, any version, and an output that fails in silence',
      { result: '', contract: '', input: '', output: `try {${parts.output}} catch { process.exit(0); }` },
      ['RESULT_MISSING', 'HIDES_FAILED_WRITE', 'ACCEPTS_MISSING_INPUT', 'ACCEPTS_ANY_CONTRACT'],
      undefined,
    ],
    [
      'words that are no text',
      {
        begin: 'process.stderr.write(Buffer.from([0xff, 0x1b, 0x5b, 0x32, 0x4a, 10]));',
        contract: 'process.exit(3);',
      },
      ['COMMAND_FAILED'],
      undefined,
    ],
  ])('finds %s', async (_, over, codes, command) => {
    expect(await found(over, command)).toEqual(codes);
  });

  it('is an exit code and a document of the command', async () => {
    const args = ['job', 'check', '--stage', 'prepare', '--json', '--', 'true'];
    const ran = await call({ clock: new SystemClock(), variables: {} }, args);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.err)).toMatchObject({ error: { code: 'JOB_CONTRACT_BROKEN' } });
    expect(ran.json()).toMatchObject({
      schemaVersion: 1,
      steps: [
        { stage: 'prepare', findings: [{ code: 'RESULT_MISSING', severity: 'fault' }, {}, {}] },
        {},
        {},
        {},
        {},
      ],
    });
  });

  it.each([
    [['job', 'check'], 'USAGE'],
    [['job', 'check', '--workload', 'reference', '--', 'true'], 'USAGE'],
    [['job', 'check', '--workload', 'refrence'], 'WORKLOAD_UNKNOWN'],
    [['job', 'check', '--stage', 'tran', '--', 'true'], 'USAGE'],
    [['job', 'check', '--', 'no-such-program'], 'COMMAND_NOT_FOUND'],
    [['job', 'check', '--folder', '/nowhere', '--', 'true'], 'WORKLOAD_FOLDER_MISSING'],
    [['--target', 'aws', 'job', 'check', '--', 'true'], 'TARGET_UNSUPPORTED'],
  ])('is refused as %j with %s', async (args, code) => {
    const ran = await call({ clock: new SystemClock(), variables: {} }, args);
    expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(`^error ${code}: `) });
  });
});
