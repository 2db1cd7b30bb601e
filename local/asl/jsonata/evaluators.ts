import { EvaluatorProcess, type ProcessOutcome } from './child-process.ts';
import { evaluationLimits, stoppedBecause } from './limits.ts';
import type { Evaluation, EvaluationResult } from './protocol.ts';

/** Evaluates expressions outside this process. */
export interface Evaluators {
  /** Rejects only when no process can be had. */
  evaluate(evaluation: Evaluation): Promise<EvaluationResult>;
  close(): void;
}

/** An evaluation that waits or is under way. */
interface Task {
  readonly evaluation: Evaluation;
  readonly resolve: (result: EvaluationResult) => void;
  readonly reject: (error: Error) => void;
  /** Processes that were lost under it. */
  losses: number;
}

/** Where one process works through a queue. */
interface Lane {
  process: EvaluatorProcess | undefined;
  task: Task | undefined;
  /** When its task began, in milliseconds of this process. */
  since: number;
  waiting: Task[];
}

/** Sources of expressions, the oldest forgotten first. */
class Sources {
  readonly #sources = new Set<string>();

  has({ evaluation }: Task): boolean {
    return this.#sources.has(evaluation.source);
  }

  add({ evaluation }: Task): void {
    this.#sources.add(evaluation.source);
    const [oldest] = this.#sources;
    if (this.#sources.size > mostRemembered && oldest !== undefined) this.#sources.delete(oldest);
  }

  delete({ evaluation }: Task): void {
    this.#sources.delete(evaluation.source);
  }
}

/** Milliseconds of work after which an evaluation is slow, and makes way for those behind it. */
const quickMs = 100;

/** Milliseconds between two looks at how long an evaluation has taken. */
const watchMs = 50;

/** How long one evaluation may take, in milliseconds of processor time and of real time. */
interface Deadlines {
  readonly processorMs: number;
  readonly deadlineMs: number;
}

/** Milliseconds a process may take to start. */
const longestStartMs = 30_000;

/** Milliseconds after which an unknown expression counts as holding others up. */
const heldUpMs = 20;

/** Processes that may be lost under one evaluation (killed from outside) before it fails. */
const mostLosses = 3;

/** Sources remembered as quick or slow. */
const mostRemembered = 10_000;

/** How long a process has been at an evaluation. */
class Stopwatch {
  readonly #process: EvaluatorProcess;
  readonly #began = performance.now();
  readonly #used: number | undefined;

  constructor(process: EvaluatorProcess) {
    this.#process = process;
    this.#used = process.processorMs();
  }

  elapsedMs(): number {
    return performance.now() - this.#began;
  }

  /** Its own work, whatever else the host does; time that has passed, where that cannot be measured. */
  workedMs(): number {
    const used = this.#process.processorMs();
    return used === undefined || this.#used === undefined ? this.elapsedMs() : used - this.#used;
  }
}

const newLane = (): Lane => ({ process: undefined, task: undefined, since: 0, waiting: [] });

/**
 * Evaluates in processes that are started when they are first needed, kept, and replaced when they were killed. One takes
 * what comes. What turns out to be slow goes to a second one, so that an expression that runs for seconds holds up its
 * like and nobody else. While the first one tries an expression nobody knows, a third one takes what is known to be quick.
 */
export class ProcessEvaluators implements Evaluators {
  readonly #first = newLane();
  readonly #slow = newLane();
  readonly #express = newLane();
  readonly #knownSlow = new Sources();
  readonly #knownQuick = new Sources();
  readonly #limits: Deadlines;
  readonly #start: () => EvaluatorProcess;
  #closed = false;

  constructor({
    start = () => new EvaluatorProcess(),
    ...limits
  }: { readonly start?: () => EvaluatorProcess } & Partial<Deadlines> = {}) {
    this.#limits = { ...evaluationLimits, ...limits };
    this.#start = start;
  }

  evaluate(evaluation: Evaluation): Promise<EvaluationResult> {
    return new Promise((resolve, reject) => {
      const task = { evaluation, resolve, reject, losses: 0 };
      const lane = this.#laneFor(task);
      lane.waiting.push(task);
      this.#next(lane);
    });
  }

  #laneFor(task: Task): Lane {
    if (this.#knownSlow.has(task)) return this.#slow;
    const passes = this.#knownQuick.has(task) && (this.#express.process || this.#tryingUnknown());
    return passes ? this.#express : this.#first;
  }

  /** The first lane has been busy for a while with an expression that nobody knows. */
  #tryingUnknown(): boolean {
    const { task, since } = this.#first;
    return task !== undefined && !this.#knownQuick.has(task) && performance.now() - since > heldUpMs;
  }

  #next(lane: Lane): void {
    if (lane.task || this.#closed) return;
    const task = lane.waiting.shift();
    if (!task) return;
    if (!lane.process || lane.process.over) {
      lane.process = this.#start();
      if (lane === this.#slow) lane.process.yieldToOthers();
    }
    Object.assign(lane, { task, since: performance.now() });
    void this.#run(lane.process, task);
  }

  async #run(process: EvaluatorProcess, task: Task): Promise<void> {
    const starting = setTimeout(
      () => process.kill({ kind: 'lost', reason: 'it did not start' }),
      longestStartMs,
    );
    await process.ready;
    clearTimeout(starting);
    const stopwatch = new Stopwatch(process);
    const watch = this.#watch(process, task, stopwatch);
    const outcome = await process.evaluate(task.evaluation);
    clearInterval(watch);
    const lanes = [this.#first, this.#slow, this.#express];
    const lane = lanes.find((each) => each.task === task && each.process === process);
    // An evaluation that made way without its process is under way again elsewhere.
    if (!lane) return;
    lane.task = undefined;
    if (stopwatch.workedMs() < quickMs) {
      this.#knownQuick.add(task);
      this.#knownSlow.delete(task);
    }
    this.#settle(lane, task, outcome);
    this.#next(lane);
  }

  /** Takes a slow evaluation out of the way, and kills a process that has used up its time. */
  #watch(process: EvaluatorProcess, task: Task, stopwatch: Stopwatch): NodeJS.Timeout {
    return setInterval(() => {
      const late = stopwatch.elapsedMs() > this.#limits.deadlineMs;
      const worked = stopwatch.workedMs();
      if (late || worked > this.#limits.processorMs)
        process.kill({ kind: 'failed', message: stoppedBecause.endless });
      else if (worked > quickMs) this.#makeWay(process, task);
    }, watchMs);
  }

  #settle(lane: Lane, task: Task, outcome: ProcessOutcome): void {
    if (outcome.kind !== 'lost') {
      task.resolve(outcome);
      return;
    }
    task.losses += 1;
    if (task.losses < mostLosses) lane.waiting.unshift(task);
    else task.reject(new Error(`The process that evaluates expressions was lost: ${outcome.reason}.`));
  }

  /** Takes a slow evaluation out of the way: with its process where the slow lane is free, else from the start there. */
  #makeWay(process: EvaluatorProcess, task: Task): void {
    const lane = [this.#first, this.#express].find((each) => each.task === task && each.process === process);
    if (!lane || this.#closed) return;
    this.#knownSlow.add(task);
    this.#knownQuick.delete(task);
    const slow = this.#slow;
    // The next expression is not to wait for a process to start.
    Object.assign(lane, { task: undefined, process: this.#start() });
    if (slow.task) {
      slow.waiting.push(task);
      process.kill({ kind: 'lost', reason: 'it made way' });
    } else {
      slow.process?.kill({ kind: 'lost', reason: 'another took its place' });
      Object.assign(slow, { task, process });
      process.yieldToOthers();
    }
    this.#next(lane);
  }

  /** Ends the processes; evaluations under way never answer, as nothing does when the engine is closed. */
  close(): void {
    this.#closed = true;
    for (const lane of [this.#first, this.#slow, this.#express]) {
      lane.task = undefined;
      lane.waiting = [];
      lane.process?.kill({ kind: 'lost', reason: 'the engine was closed' });
    }
  }
}
