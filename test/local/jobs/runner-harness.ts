import { execFileSync } from 'node:child_process';
import { expect } from 'vitest';
import { SystemClock } from '../../../lib/system/system-clock.ts';
import type { JobObservation, JobSpec } from '../../../lib/training/attempts/job.ts';
import { JobFolder } from '../../../local/jobs/job-folder.ts';
import type { ProcessJobRunnerOptions } from '../../../local/jobs/local-job-runner.ts';
import { ProcessJobRunner } from '../../../local/jobs/process-job-runner.ts';
import { jsonLog } from '../../../local/log.ts';
import { freshDir } from '../asl/harness.ts';

/** The clock of all runners. */
export const clock = new SystemClock();

/** A job whose program is a shell script. */
export function aSpec(jobName: string, script: string, over: Partial<JobSpec> = {}): JobSpec {
  return {
    jobName,
    tenantId: 'acme',
    runId: 'run',
    logicalDate: '2026-11-24',
    traceId: 'f'.repeat(32),
    stage: 'train',
    attempt: 1,
    image: `ml-engine@sha256:${'0'.repeat(64)}`,
    arguments: [script],
    environment: { EPSILON_RUN_ID: 'run' },
    outputUri: 's3://data-bucket/acme/',
    resources: { cpu: 0.1, memoryMiB: 16 },
    capacity: 'spot',
    timeoutSeconds: 60,
    priority: 50,
    ...over,
  };
}

/** A runner whose jobs are shell scripts, with every observation it made. */
export function aRunner(root = freshDir(), over: Partial<ProcessJobRunnerOptions> = {}) {
  const seen: JobObservation[] = [];
  const lines: string[] = [];
  const waiters: (() => void)[] = [];
  const runner = new ProcessJobRunner({
    root,
    clock,
    log: jsonLog(clock, (line) => lines.push(line)),
    variables: { PATH: process.env['PATH'], SECRET: 'not for jobs' },
    host: { cpu: 2, memoryMiB: 4096 },
    graceMs: 300,
    command: (spec, { resultPath }) => ({
      file: '/bin/sh',
      args: ['-c', spec.arguments[0] ?? 'true'],
      env: { ...spec.environment, RESULT: resultPath },
    }),
    onObservation: (observation) => {
      seen.push(observation);
      for (const wake of waiters.splice(0)) wake();
    },
    ...over,
  });
  const when = async (test: () => boolean) => {
    while (!test()) await new Promise<void>((resolve) => waiters.push(resolve));
  };
  const over1 = (jobName: string) =>
    seen.find((one) => one.jobName === jobName && (one.state === 'succeeded' || one.state === 'failed'));
  const ended = async (jobName: string): Promise<JobObservation> => {
    await when(() => over1(jobName) !== undefined);
    return over1(jobName) as JobObservation;
  };
  const started = async (jobName: string) => {
    const folder = new JobFolder(root, jobName);
    while (!folder.started) await new Promise<void>((resolve) => setImmediate(resolve));
    return folder.started;
  };
  roots.push(root);
  return { runner, root, seen, lines, ended, started };
}

const roots: string[] = [];

/** No test may leave a process behind. */
export function expectNothingLeft(): void {
  const groups = execFileSync('ps', ['-axo', 'pgid=,args='], { encoding: 'utf8' });
  for (const root of roots.splice(0))
    expect(groups.split('\n').filter((line) => line.includes(root))).toEqual([]);
}

/** Scripts of the contract's suite. */
export const scripts = {
  succeeds: `printf '{"answer":42}' > "$RESULT"`,
  fails: 'exit 1',
  rejects: 'exit 65',
  waits: 'sleep 60',
};
