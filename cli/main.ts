import { environmentVariables } from '../lib/config/environment.ts';
import { exitCodes } from '../lib/errors/epsilon-error.ts';
import { systemIds } from '../local/clock/ids.ts';
import { SystemClock } from '../local/clock/system-clock.ts';
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
  // Whoever reads our output may leave before the end: that is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    throw error;
  });
  const clock = new SystemClock();
  const variables = environmentVariables();
  const code = await runProgram(
    {
      clock,
      ids: systemIds(clock),
      projectDir,
      defaultStateDir: variables['EPSILON_STATE_DIR'] ?? '.epsilon',
      signal: stop.signal,
      terminal: { isTerminal: process.stdout.isTTY ?? false, columns: process.stdout.columns || 100 },
      write: (text) => void process.stdout.write(text),
      warn: (text) => void process.stderr.write(text),
      open: async (stateDir, options) =>
        (await openControl({ projectDir, stateDir, variables, clock, ...options })).control,
    },
    process.argv.slice(2),
  );
  process.exitCode = code;
  // Everything is closed; a job that goes on must not keep this process.
  process.stdout.write('', () => process.exit(code));
}
