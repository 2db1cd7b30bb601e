import { type ChildProcess, spawn } from 'node:child_process';

/** Asks until something is there, for so many seconds. Error: what was waited for. */
export async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** A program that runs beside the test; what it said last is kept for the report of a fault. */
export class Beside {
  readonly #child: ChildProcess;
  #said = '';

  constructor(file: string, args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
    const env = { ...process.env, ...variables };
    this.#child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (text: Buffer) => {
        this.#said = `${this.#said}${text}`.slice(-4_000);
      });
  }

  get said(): string {
    return this.#said;
  }

  /** Ends it and waits until it is gone. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(late);
  }
}
