import { Command, CommanderError, Option } from 'commander';
import { exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { IdSource } from '../../lib/ports/id-source.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { type Output, report } from '../output.ts';
import type { OpenOptions, Session } from '../session.ts';
import { parseTarget, type Target, type TargetOptions } from '../target.ts';
import { narrowHelp } from './narrow-help.ts';
import { verbGroups, verbOf } from './verb-groups.ts';

/** What the command needs of its surroundings. */
export interface ProgramDependencies {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly projectDir: string;
  /** Environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** How this command was called, for messages that name the next one. */
  readonly name: string;
  readonly terminal: {
    /** Standard output is a terminal that understands cursor movements. */
    readonly moves: boolean;
    /** Width of standard output; absent when it is no terminal. */
    readonly columns?: number;
    /** Width of standard error; absent when it is no terminal. */
    readonly errorColumns?: number;
  };
  write(text: string): void;
  warn(text: string): void;
  open(target: Target, options: OpenOptions): Promise<OperatorApi>;
}

const targetHelp = `
--target aws speaks to a deployed environment, with the credentials that the
AWS SDK finds (environment variables, profile, SSO). EPSILON_TARGET,
EPSILON_ENVIRONMENT and EPSILON_STATE_DIR stand for their options.
`;

const exitHelp = `
Exit codes:
  ${Object.entries(exitCodes)
    .map(([name, code]) => `${code} ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`)
    .join(', ')}.`;

function quieten(command: Command, dependencies: ProgramDependencies): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => dependencies.write(text),
    writeErr: () => {},
    getOutHelpWidth: () => dependencies.terminal.columns ?? 80,
  });
  command.configureHelp(narrowHelp);
  command.showSuggestionAfterError(true);
  for (const child of command.commands) quieten(child, dependencies);
}

type Fold = typeof import('../prose.ts').folded;

/** Where verbs write; `fold` folds text for people to a width, where it was needed. */
function outputOf({ terminal, write, warn }: ProgramDependencies, json: boolean, fold?: Fold): Output {
  const { moves, columns, errorColumns } = terminal;
  return {
    json,
    terminal: moves,
    columns,
    write,
    warn: (text) => warn(json || !fold ? text : fold(text, errorColumns)),
  };
}

/**
 * The command's tree. Verbs that do not occur among the arguments are known by name and summary only: their code is not
 * loaded. `undefined` for the arguments loads them all.
 */
async function makeProgram(
  dependencies: ProgramDependencies,
  args: readonly string[] | undefined,
  fold?: Fold,
): Promise<Command> {
  const program = addGlobalOptions(
    new Command('epsilon').description('Control plane for per-tenant model training'),
    'full',
  ).addHelpText('after', targetHelp + exitHelp);
  const session = (): Session => {
    const { json, ...options } = program.opts<TargetOptions & { json?: boolean }>();
    const target = parseTarget(options, dependencies.variables);
    const output = outputOf(dependencies, json ?? false, fold);
    const { name, clock, ids, projectDir, signal } = dependencies;
    return {
      output,
      name,
      clock,
      ids,
      projectDir,
      target,
      signal,
      open: (options) => dependencies.open(target, options),
      wholeTree: () => makeProgram(dependencies, undefined),
    };
  };
  for (const { verbs, load } of verbGroups) {
    if (args === undefined || verbs.some(({ term }) => args.includes(verbOf(term))))
      (await load())(program, session);
    else for (const { term, summary } of verbs) program.command(term).description(summary);
  }
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])])
    acceptGlobalOptions(command, program);
  quieten(program, dependencies);
  return program;
}

const globalOptions = [
  ['--target <local|aws>', 'which control plane', 'target'],
  ['--state-dir <path>', 'local: where everything is kept (.epsilon)', 'stateDir'],
  ['--environment <name>', 'aws: dev, staging or prod (dev)', 'environment'],
  ['--region <region>', "aws: another region than the environment's own", 'region'],
  ['--profile <name>', 'aws: profile of the shared configuration', 'profile'],
  ['--account <id>', 'aws: refuse credentials of another account', 'account'],
  ['--json', 'print JSON', 'json'],
  ['--debug', 'print stack traces', 'debug'],
] as const;

/** Verbs accept the same options but leave them out of their own help, which would otherwise be mostly these. */
function addGlobalOptions(command: Command, help: 'full' | 'hidden'): Command {
  for (const [flags, description] of globalOptions) {
    const option = new Option(flags, description);
    command.addOption(help === 'hidden' ? option.hideHelp() : option);
  }
  return command;
}

/** Global options may stand behind the verb too: people type them where they think of them. */
function acceptGlobalOptions(command: Command, program: Command): void {
  if (command === program) return;
  addGlobalOptions(command, 'hidden');
  if (command.commands.length === 0)
    command.addHelpText('after', '\nGlobal options (--target, --json, ...): epsilon --help');
  command.hook('preAction', (_, action) => {
    const own = action.opts<Record<string, unknown>>();
    for (const [, , key] of globalOptions) if (own[key] !== undefined) program.setOptionValue(key, own[key]);
  });
}

/** What to say next, where a group of verbs was named and none of them. */
function missingVerb(program: Command, args: readonly string[]): string {
  const group = program.commands.find((one) => one.commands.length > 0 && args.includes(one.name()));
  const verbs = (group ?? program).commands.map((one) => one.name()).filter((name) => name !== 'help');
  return `"${['epsilon', ...(group ? [group.name()] : [])].join(' ')}" needs one of: ${verbs.join(', ')}.`;
}

/** Where help on what was typed is: that of the verb, where one was recognised. */
function helpHint(program: Command, args: readonly string[], name: string): string {
  let verb = program;
  for (const word of args) verb = verb.commands.find((one) => one.name() === word) ?? verb;
  const words: string[] = [];
  for (let at: Command | null = verb; at && at !== program; at = at.parent) words.unshift(at.name());
  return words.length === 0
    ? `${name} --help shows all commands.`
    : `${[name, ...words].join(' ')} --help shows its options.`;
}

/** Runs the command with arguments and gives the exit code; usage faults are 2, help is 0. */
export async function runProgram(
  dependencies: ProgramDependencies,
  args: readonly string[],
): Promise<number> {
  const fold =
    dependencies.terminal.errorColumns === undefined ||
    args.some((word) => word === '--help' || word === '-h')
      ? undefined
      : (await import('../prose.ts')).folded;
  const program = await makeProgram(dependencies, args, fold);
  const json = args.includes('--json');
  const output = outputOf(dependencies, json, fold);
  try {
    if (args.length === 0) {
      program.outputHelp();
      return exitCodes.badInput;
    }
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(output, error, args.includes('--debug'));
    if (error.exitCode === 0) return exitCodes.ok;
    const message =
      error.code === 'commander.help' ? missingVerb(program, args) : error.message.replace(/^error: /, '');
    if (json)
      dependencies.warn(
        `${JSON.stringify({ schemaVersion: 1, error: { code: 'USAGE', message, details: {} } })}\n`,
      );
    else output.warn(`error USAGE: ${message}\n${helpHint(program, args, dependencies.name)}\n`);
    return exitCodes.badInput;
  }
}
