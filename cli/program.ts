import { Command, CommanderError } from 'commander';
import { exitCodes } from '../lib/errors/epsilon-error.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { ControlPlane } from '../lib/ports/control-plane.ts';
import type { IdSource } from '../lib/ports/id-source.ts';
import { type Output, report } from './output.ts';
import type { OpenOptions, Session } from './session.ts';
import { addAsl } from './verbs/asl.ts';
import { addDemo } from './verbs/demo.ts';
import { addExecutions } from './verbs/executions.ts';
import { addLogs } from './verbs/logs.ts';
import { addModels } from './verbs/models.ts';
import { addService } from './verbs/service.ts';
import { addTenants } from './verbs/tenants.ts';

/** What the command needs of its surroundings. */
export interface ProgramDependencies {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly projectDir: string;
  readonly defaultStateDir: string;
  readonly signal: AbortSignal;
  readonly terminal: { readonly isTerminal: boolean; readonly columns: number };
  write(text: string): void;
  warn(text: string): void;
  open(stateDir: string, options: OpenOptions): Promise<ControlPlane>;
}

const exitHelp = `
Exit codes: ${Object.entries(exitCodes)
  .map(([name, code]) => `${code} ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`)
  .join(', ')}.`;

function quieten(command: Command, dependencies: ProgramDependencies): void {
  command
    .exitOverride()
    .configureOutput({ writeOut: (text) => dependencies.write(text), writeErr: () => {} });
  command.showSuggestionAfterError(true);
  for (const child of command.commands) quieten(child, dependencies);
}

/** The whole command, as a function: tests call it without a process. */
export function makeProgram(dependencies: ProgramDependencies): Command {
  const program = new Command('epsilon')
    .description('Control plane for per-tenant model training')
    .option('--state-dir <path>', 'where everything is kept', dependencies.defaultStateDir)
    .option('--json', 'print JSON')
    .option('--debug', 'print stack traces')
    .addHelpText('after', exitHelp);
  const session = (): Session => {
    const { stateDir, json } = program.opts<{ stateDir: string; json?: boolean }>();
    const output: Output = {
      json: json ?? false,
      terminal: dependencies.terminal.isTerminal,
      columns: dependencies.terminal.columns,
      write: dependencies.write,
      warn: dependencies.warn,
    };
    const { clock, ids, projectDir, signal } = dependencies;
    return {
      output,
      clock,
      ids,
      projectDir,
      stateDir,
      signal,
      open: (options) => dependencies.open(stateDir, options),
    };
  };
  for (const add of [addDemo, addService, addExecutions, addLogs, addTenants, addModels, addAsl])
    add(program, session);
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])])
    acceptGlobalOptions(command, program);
  quieten(program, dependencies);
  return program;
}

/** Global options may stand behind the verb too: people type them where they think of them. */
function acceptGlobalOptions(command: Command, program: Command): void {
  if (command === program) return;
  command
    .option('--state-dir <path>', 'where everything is kept')
    .option('--json', 'print JSON')
    .option('--debug', 'print stack traces');
  command.hook('preAction', (_, action) => {
    const own = action.opts<{ stateDir?: string; json?: boolean; debug?: boolean }>();
    for (const key of ['stateDir', 'json', 'debug'] as const)
      if (own[key] !== undefined) program.setOptionValue(key, own[key]);
  });
}

/** Runs the command with arguments and gives the exit code; usage faults are 2, help is 0. */
export async function runProgram(
  dependencies: ProgramDependencies,
  args: readonly string[],
): Promise<number> {
  const program = makeProgram(dependencies);
  const json = args.includes('--json');
  const output: Output = {
    json,
    terminal: false,
    columns: 80,
    write: dependencies.write,
    warn: dependencies.warn,
  };
  try {
    if (args.length === 0) {
      dependencies.write(program.helpInformation() + exitHelp.trimStart());
      dependencies.write('\n');
      return exitCodes.badInput;
    }
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(output, error, args.includes('--debug'));
    if (error.exitCode === 0) return exitCodes.ok;
    const message = error.message.replace(/^error: /, '');
    if (json)
      dependencies.warn(
        `${JSON.stringify({ schemaVersion: 1, error: { code: 'USAGE', message, details: {} } })}\n`,
      );
    else dependencies.warn(`error USAGE: ${message}\nepsilon --help shows all commands.\n`);
    return exitCodes.badInput;
  }
}
