import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a program is started. */
interface Start {
  readonly program: string;
  readonly words: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
}

/** Programs of one control plane by name, each with its log in one folder; stopped in reverse order of their start. */
export class Programs {
  readonly #starts = new Map<string, Start>();
  readonly #children = new Map<string, ChildProcess>();
  readonly folder = mkdtempSync(join(tmpdir(), 'epsilon-kube-'));

  /** Path of a file in the folder. */
  file(name: string): string {
    return join(this.folder, name);
  }

  /** Starts a program; its output goes to `<name>.log`. */
  start(name: string, program: string, flags: Start['flags'], words: readonly string[] = []): void {
    this.#starts.set(name, { program, words, flags });
    this.restart(name);
  }

  /** Starts a program again as it was started first. */
  restart(name: string): void {
    const start = this.#starts.get(name);
    if (!start) throw new Error(`${name} was never started`);
    const args = [
      ...start.words,
      ...Object.entries(start.flags).map(([flag, value]) => `--${flag}=${value}`),
    ];
    const child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" >>"$LOG" 2>&1', start.program, ...args], {
      stdio: 'ignore',
      env: { ...process.env, LOG: this.file(`${name}.log`) },
    });
    this.#children.set(name, child);
  }

  /** Ends a program and waits until it is gone. */
  async kill(name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#children.get(name);
    if (!child) return;
    this.#children.delete(name);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill(signal);
    await gone;
  }

  /** Ends all programs and removes the folder: it holds the keys of a cluster. */
  async close(): Promise<void> {
    for (const name of [...this.#children.keys()].reverse()) await this.kill(name, 'SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
