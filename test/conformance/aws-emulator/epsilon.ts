import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

/** How a call of the command ended. */
export interface Called {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Calls the `epsilon` command as people do, in a process of its own. */
export function callEpsilon(
  args: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): Promise<Called> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [resolve('cli', 'epsilon.js'), ...args], {
      env: variables,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString();
    });
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => done({ code: code ?? 1, stdout, stderr }));
  });
}

/** Calls it for its JSON; throws with its words when it does not succeed. */
export async function askEpsilon<T>(
  args: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): Promise<T> {
  const { code, stdout, stderr } = await callEpsilon([...args, '--json'], variables);
  if (code !== 0) throw new Error(`epsilon ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}
