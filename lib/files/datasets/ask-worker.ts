import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';

const worker = fileURLToPath(new URL('./profile-worker.ts', import.meta.url));

/** Milliseconds after which a question is given up. */
const longest = 30 * 60_000;

/** Asks a process of its own, which has no environment, about files; what it answers is for the caller to check. `DATASET_NOT_PROFILED`. */
export async function askWorker(asked: Readonly<Record<string, unknown>>): Promise<unknown> {
  const child = spawn(process.execPath, ['--max-old-space-size=128', worker], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {},
    timeout: longest,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(asked));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code === 0) return JSON.parse(out);
  const said = /^\S*Error: .*|^\[Error: .*/m.exec(err)?.[0] ?? `it ended with ${code}`;
  throw new EpsilonError('DATASET_NOT_PROFILED', `The dataset could not be read: ${said.slice(0, 500)}.`, {
    exitCode: exitCodes.backend,
  });
}
