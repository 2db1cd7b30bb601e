import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processorMs } from '../../host/processes.ts';
import { evaluationLimits, stoppedBecause } from './limits.ts';
import type { Evaluation, EvaluationResult } from './protocol.ts';

const program = fileURLToPath(new URL('./child/main.ts', import.meta.url));

/** Files the process reads: its own, and the library. It may write nothing and start nothing. */
const readable = [
  join(dirname(program), '..', '..'),
  dirname(createRequire(import.meta.url).resolve('jsonata')),
];

/** Priority of a process that has worked for long: everything else goes first. */
const behindOthers = 10;

/** What one evaluation in a process came to; `lost` when the process ended without saying why. */
export type ProcessOutcome = EvaluationResult | { readonly kind: 'lost'; readonly reason: string };

/** A process that evaluates expressions, one at a time, and is killed when it does not come to an end. */
export class EvaluatorProcess {
  /** What it may take, and what it may do. */
  readonly flags: readonly string[] = [
    `--max-old-space-size=${evaluationLimits.heapMegabytes}`,
    '--disable-proto=delete',
    '--disallow-code-generation-from-strings',
    '--permission',
    ...readable.map((folder) => `--allow-fs-read=${folder}`),
    '--no-warnings',
  ];
  readonly #child: ChildProcess;
  #answer: ((outcome: ProcessOutcome) => void) | undefined;
  #ended: string | undefined;
  readonly #ready = Promise.withResolvers<void>();

  constructor() {
    this.#child = fork(program, {
      // Nothing of this process's environment or rights: expressions come from whoever writes a definition.
      env: {},
      execArgv: [...this.flags],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child.on('message', (message: EvaluationResult | 'ready') => {
      if (message === 'ready') this.#ready.resolve();
      else this.#settle(message);
    });
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('exit', (code, signal) => this.#end(`exit code ${code ?? signal}`, signal));
    this.#release();
  }

  get over(): boolean {
    return this.#ended !== undefined;
  }

  /** Resolves when the process takes evaluations, or never will. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** A process that waits for work does not keep this one alive. */
  #release(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }

  #settle(outcome: ProcessOutcome): void {
    const answer = this.#answer;
    this.#answer = undefined;
    this.#release();
    answer?.(outcome);
  }

  #end(reason: string, signal?: NodeJS.Signals | null): void {
    if (this.over) return;
    this.#ended = reason;
    this.#ready.resolve();
    // V8 aborts a process whose heap is full.
    const full = signal === 'SIGABRT' || signal === 'SIGTRAP' || reason === 'exit code 134';
    this.#settle(full ? { kind: 'failed', message: stoppedBecause.memory } : { kind: 'lost', reason });
  }

  /** Evaluates; the process is to have nothing else under way. */
  evaluate(evaluation: Evaluation): Promise<ProcessOutcome> {
    if (this.over) return Promise.resolve({ kind: 'lost', reason: this.#ended ?? '' });
    return new Promise((resolve) => {
      this.#child.ref();
      this.#child.channel?.ref();
      this.#answer = resolve;
      this.#child.send(evaluation, (error) => {
        if (error) this.#end(error.message);
      });
    });
  }

  /** Lets everything else go first. */
  yieldToOthers(): void {
    try {
      if (this.#child.pid !== undefined) setPriority(this.#child.pid, behindOthers);
    } catch {
      // It has just ended, or priorities are not to be had here.
    }
  }

  /** Milliseconds of processor time it has used so far; undefined where that cannot be measured. */
  processorMs(): number | undefined {
    return this.#child.pid === undefined ? undefined : processorMs(this.#child.pid);
  }

  /** Ends the process; what it had under way comes to this. */
  kill(outcome: ProcessOutcome): void {
    this.#ended ??= 'it was ended';
    this.#ready.resolve();
    this.#child.kill('SIGKILL');
    this.#settle(outcome);
  }
}
