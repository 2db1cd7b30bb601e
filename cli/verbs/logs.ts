import type { Command } from 'commander';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import type { LoggedJob } from '../../lib/ports/job-logs.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { Attempt } from '../../lib/training/run.ts';
import { stageNames } from '../../lib/training/stages.ts';
import { command, lookInterval, pause, type Session, withControl } from '../session.ts';

interface LogOptions {
  readonly stage?: string;
  readonly attempt?: string;
  readonly follow?: boolean;
}

async function attemptsOf(
  session: Session,
  control: OperatorApi,
  runId: string,
  { stage, attempt }: LogOptions,
): Promise<Attempt[]> {
  if (stage !== undefined && !(stageNames as readonly string[]).includes(stage)) {
    throw new EpsilonError('USAGE', `There is no stage "${stage}" (${stageNames.join(', ')}).`);
  }
  if (!(await control.runs.getRun(runId)))
    throw new NotFound(
      'RUN_NOT_FOUND',
      `There is no run "${runId}"; "${command(session, 'executions')}" lists them.`,
    );
  if (attempt !== undefined && !/^[1-9]\d{0,3}$/.test(attempt))
    throw new EpsilonError('USAGE', `--attempt ${attempt} is not a number from 1 on.`);
  const all = await control.runs.listAttempts(runId);
  return all.filter(
    (one) =>
      (stage === undefined || one.stage === stage) &&
      (attempt === undefined || one.attempt === Number(attempt)),
  );
}

async function copyLog(
  session: Session,
  control: OperatorApi,
  attempt: Attempt,
  follow: boolean,
): Promise<void> {
  let job: LoggedJob = attempt;
  for (const stream of ['stdout', 'stderr'] as const) {
    for (let at = 0; !session.signal.aborted; ) {
      const { text, nextByte, ended } = await control.logs.read(jobOf(job), stream, at);
      if (text !== '') session.output.write(text);
      if (ended || (nextByte === at && !follow)) break;
      if (nextByte === at) {
        await pause(session, lookInterval(session));
        job = await again(control, attempt);
      }
      at = nextByte;
    }
  }
}

/** What a log is found by; a task token is none of its business. */
function jobOf({ jobName, backend, jobId, settledAt }: LoggedJob): LoggedJob {
  return {
    jobName,
    backend,
    ...(jobId === undefined ? {} : { jobId }),
    ...(settledAt === undefined ? {} : { settledAt }),
  };
}

/** The attempt as it is now: it may have been submitted, or be over, since. */
async function again(control: OperatorApi, before: Attempt): Promise<Attempt> {
  const all = await control.runs.listAttempts(before.runId);
  return all.find(({ jobName }) => jobName === before.jobName) ?? before;
}

/** `logs` */
export function addLogs(program: Command, session: () => Session): void {
  program
    .command('logs')
    .description("show the output of a run's jobs, one JSON object per line")
    .argument('<run>', 'run id: the name of the tenant execution')
    .option('--stage <stage>', `only this stage: ${stageNames.join(', ')}`)
    .option('--attempt <n>', 'only this attempt, from 1')
    .option('-f, --follow', 'continue until the jobs have ended')
    .action((runId: string, options: LogOptions) =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const shown = new Set<string>();
        for (;;) {
          for (const attempt of await attemptsOf(session(), control, runId, options)) {
            if (shown.has(attempt.jobName)) continue;
            shown.add(attempt.jobName);
            await copyLog(session(), control, attempt, options.follow ?? false).catch((error: unknown) => {
              if (!(error instanceof NotFound)) throw error;
              session().output.warn(`${attempt.jobName}: ${error.message}\n`);
            });
          }
          const run = await control.runs.getRun(runId);
          const chosen = options.stage !== undefined || options.attempt !== undefined;
          if (chosen && shown.size === 0 && (!options.follow || run?.status !== 'running'))
            throw new NotFound('JOB_NOT_FOUND', `Run "${runId}" has no such job.`);
          if (!options.follow || run?.status !== 'running' || session().signal.aborted) return;
          await pause(session(), lookInterval(session()));
        }
      }),
    );
}
