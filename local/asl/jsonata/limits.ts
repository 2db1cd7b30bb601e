/**
 * What one evaluation may take. Depth, bytes and items are the service's own bounds, measured there by others
 * (docs/asl-support.md); steps and the deadline are this engine's: an evaluation that has no end is stopped by the
 * steps it counts, the same every time, and by the deadline only where nothing can be counted (regular expressions).
 */
export const evaluationLimits = {
  /** Levels of nesting: operands, brackets, calls. */
  depth: 100,
  /** Bytes of one value: 8 a number, 1 a character. */
  valueBytes: 6_990_256,
  /** Items that `$range` makes. */
  rangeItems: 360_145,
  /** Nodes visited, with the work of functions charged in the same unit. */
  steps: 1_000_000,
  /** Milliseconds of processor time, the last resort: what counts its steps needs less than half of it. */
  processorMs: 8_000,
  /** Milliseconds of real time, where the processor time of another process cannot be measured, or it gets none. */
  deadlineMs: 60_000,
  /** Megabytes of the evaluating process's heap. */
  heapMegabytes: 256,
} as const;

/** Messages of evaluations that were stopped, in the service's words; none has an error code of JSONata. */
export const stoppedBecause = {
  depth:
    'Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive',
  memory: 'Expression evaluation memory limit exceeded: Check for excessive memory usage',
  endless: 'Expression evaluation timeout: Check for infinite loop',
} as const;

/** An evaluation that counted beyond a limit. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}
