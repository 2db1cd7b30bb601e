import { environmentVariables } from '../../lib/config/environment.ts';
import { exitCodes } from '../../lib/errors/epsilon-error.ts';
import { SystemClock } from '../../lib/system/system-clock.ts';
import { systemIds } from '../../lib/system/system-ids.ts';
import { commandName } from '../launch/command-name.ts';
import { followLauncher } from '../launch/follow-launcher.ts';
import { runProgram } from './program.ts';

/** Runs the command of this process and sets its exit code. The first Ctrl-C stops gracefully, the second at once. */
export async function main(projectDir: string): Promise<void> {
  const stop = new AbortController();
  const variables = environmentVariables();
  followLauncher(variables['EPSILON_LAUNCHER_PID'], {
    stop: () => stop.abort(),
    quit: () => process.exit(exitCodes.interrupted),
  });
  // The reader of the output may close it early (`| head`); that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    throw error;
  });
  const clock = new SystemClock();
  const ids = systemIds(clock);
  const code = await runProgram(
    {
      clock,
      ids,
      projectDir,
      variables,
      signal: stop.signal,
      name: commandName(process.argv[1], variables, process.cwd()),
      terminal: {
        moves: process.stdout.isTTY && variables['TERM'] !== 'dumb',
        ...(process.stdout.isTTY ? { columns: process.stdout.columns || 80 } : {}),
        ...(process.stderr.isTTY ? { errorColumns: process.stderr.columns || 80 } : {}),
      },
      write: (text) => void process.stdout.write(text),
      warn: (text) => void process.stderr.write(text),
      open: async (target, options) => {
        // The embedded runtime and the SDK are loaded for those who need them only.
        if (target.kind === 'local') {
          const { openControl } = await import('../../local/open-control.ts');
          const { stateDir } = target;
          const { signal } = stop;
          return (await openControl({ projectDir, stateDir, variables, clock, signal, ...options })).control;
        }
        const { openAws } = await import('../open-aws.ts');
        const standby = options.standby ?? false;
        return openAws(target, { projectDir, variables, clock, ids, signal: stop.signal, standby });
      },
    },
    process.argv.slice(2),
  );
  process.exitCode = code;
  // Everything is closed; a job that goes on must not keep this process.
  process.stdout.write('', () => process.exit(code));
}
