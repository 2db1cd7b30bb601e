import { environmentVariables } from '../lib/config/environment.ts';
import { exitCodes } from '../lib/errors/epsilon-error.ts';
import { SystemClock } from '../lib/system/system-clock.ts';
import { systemIds } from '../lib/system/system-ids.ts';
import { openControl } from '../local/control/open-control.ts';
import { runProgram } from './program.ts';

/** Runs the command of this process and sets its exit code. The first Ctrl-C stops gracefully, the second at once. */
export async function main(projectDir: string): Promise<void> {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // The reader of the output may close it early (`| head`); that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    throw error;
  });
  const clock = new SystemClock();
  const ids = systemIds(clock);
  const variables = environmentVariables();
  const code = await runProgram(
    {
      clock,
      ids,
      projectDir,
      variables,
      signal: stop.signal,
      terminal: { isTerminal: process.stdout.isTTY ?? false, columns: process.stdout.columns || 100 },
      write: (text) => void process.stdout.write(text),
      warn: (text) => void process.stderr.write(text),
      open: async (target, options) => {
        if (target.kind === 'local')
          return (
            await openControl({
              projectDir,
              stateDir: target.stateDir,
              variables,
              clock,
              signal: stop.signal,
              ...options,
            })
          ).control;
        // The SDK is loaded for those who speak to AWS only.
        const { openAws } = await import('./open-aws.ts');
        return openAws(target, { projectDir, variables, clock, ids, signal: stop.signal });
      },
    },
    process.argv.slice(2),
  );
  process.exitCode = code;
  // Everything is closed; a job that goes on must not keep this process.
  process.stdout.write('', () => process.exit(code));
}
