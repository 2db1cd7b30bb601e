import { spawn } from 'node:child_process';
import type { Notifier } from '../../lib/ports/notifier.ts';
import type { Delivery } from './settings.ts';

/** What people are told. */
export type Message = Parameters<Notifier['notify']>[0];

/** A failure that trying again does not mend. */
export class Refused extends Error {
  override name = 'Refused';
}

/** Variables that the program is given; everything else, secrets above all, stays here. */
const allowed = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'] as const;

/** Runs the program with the message as JSON on its input; it and what it started are killed when the signal aborts. */
async function runCommand(
  [program = '', ...args]: readonly string[],
  message: Message,
  { signal, cwd, variables }: DeliveryOptions,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const env = Object.fromEntries(
    allowed.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]])),
  );
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const kill = () => {
    if (child.pid !== undefined) {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It is over already.
      }
    }
    reject(new Error('the program took too long'));
  };
  signal.addEventListener('abort', kill, { once: true });
  child.on('error', reject);
  child.on('exit', (code, by) =>
    code === 0 ? resolve() : reject(new Error(`the program ended with ${by ?? `exit code ${code}`}`)),
  );
  // A program may end without having read its input.
  child.stdin.on('error', () => {});
  child.stdin.end(`${JSON.stringify(message)}\n`);
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** Posts the message as JSON; `text` is what chat services show. Errors name no address: it may be a secret. */
async function post(url: URL, message: Message, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ ...message, text: `${message.subject}\n${message.body}` });
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal,
    redirect: 'manual',
  }).catch((error: unknown) => {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    throw new Error(signal.aborted ? 'no answer in time' : `no answer (${code ?? 'the request failed'})`);
  });
  await response.body?.cancel();
  if (response.ok) return;
  const { status } = response;
  const passing = status === 408 || status === 429 || status >= 500;
  throw new (passing ? Error : Refused)(`the address answered ${status}`);
}

/** What one try is made with. */
export interface DeliveryOptions {
  /** Aborted when the try has taken long enough. */
  readonly signal: AbortSignal;
  readonly cwd: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Tries once; throws what went wrong, `Refused` when another try would go the same way. */
export function deliver(delivery: Delivery, message: Message, options: DeliveryOptions): Promise<void> {
  return delivery.kind === 'command'
    ? runCommand(delivery.command, message, options)
    : post(delivery.url, message, options.signal);
}
