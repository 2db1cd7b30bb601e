import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { environmentVariables } from '../../../lib/config/environment.ts';
import { EpsilonError, exitCodes } from '../../../lib/errors/epsilon-error.ts';

/** Milliseconds that a process of a drill may take. */
const longestMs = 600_000;

/** What a drill works on: a copy of a state, with a repository of its own. */
export interface DrillPlace {
  readonly projectDir: string;
  readonly stateDir: string;
  readonly backups: string;
}

/** What a call of the command printed and how it ended. */
export interface Called {
  readonly code: number;
  /** The document that it printed with --json. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly said: string;
}

function environment(): NodeJS.ProcessEnv {
  const { EPSILON_STATE_DIR: _, EPSILON_TARGET: __, ...others } = environmentVariables();
  return others;
}

const drillFailed = (message: string) =>
  new EpsilonError('DRILL_FAILED', message, { exitCode: exitCodes.backend });

async function collected(stream: NodeJS.ReadableStream | null): Promise<string> {
  const parts: string[] = [];
  for await (const part of stream ?? []) parts.push(String(part));
  return parts.join('');
}

/** A process of the command, on the place of the drill, as an operator would start it. */
export function startCommand(
  { projectDir, stateDir, backups }: DrillPlace,
  words: readonly string[],
): ChildProcess {
  const own = words[0] === 'restore' || words[0] === 'backup' ? ['--backups', backups] : [];
  const args = [join(projectDir, 'cli', 'epsilon.js'), '--state-dir', stateDir, '--json', ...words, ...own];
  return spawn(process.execPath, args, {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestMs,
  });
}

/** Calls the command to its end. */
export async function callCommand(place: DrillPlace, words: readonly string[]): Promise<Called> {
  const child = startCommand(place, words);
  const [out, err] = [collected(child.stdout), collected(child.stderr)];
  const [code] = (await once(child, 'close')) as [number | null];
  const said = await err;
  try {
    const document = JSON.parse((await out) || said.trim().split('\n').at(-1) || '{}') as Called['document'];
    return { code: code ?? -1, document, said };
  } catch {
    throw drillFailed(`"epsilon ${words.join(' ')}" printed no JSON: ${said.slice(0, 500)}`);
  }
}

/** Calls the command; throws `DRILL_FAILED` with what it said when it did not succeed. */
export async function demandCommand(
  place: DrillPlace,
  words: readonly string[],
): Promise<Called['document']> {
  const { code, document, said } = await callCommand(place, words);
  if (code === 0) return document;
  throw drillFailed(`"epsilon ${words.join(' ')}" ended with ${code}: ${said.trim().slice(0, 500)}`);
}

/** A control plane that is drilled. */
export interface Drilled {
  /** Kills it without warning, and resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts the control plane that is to be killed; resolves when it answers. */
export async function startDrilled(place: DrillPlace, everyMs: number): Promise<Drilled> {
  const { projectDir, stateDir, backups } = place;
  const program = join(import.meta.dirname, 'drilled.ts');
  const args = [
    '--project',
    projectDir,
    '--state',
    stateDir,
    '--backups',
    backups,
    '--every',
    String(everyMs),
  ];
  const child = spawn(process.execPath, [program, ...args], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'close');
  const said = collected(child.stderr);
  const ready = new Promise<boolean>((resolve) => {
    child.stdout.on('data', (part) => String(part).includes('ready') && resolve(true));
    void gone.then(() => resolve(false));
  });
  if (!(await ready))
    throw drillFailed(`the drilled control plane did not start: ${(await said).slice(0, 500)}`);
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
