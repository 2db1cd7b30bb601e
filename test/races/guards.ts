/** How often a condition of a conditional write held, and how often it refused the write. */
export interface Verdicts {
  held: number;
  lost: number;
  /** How often it alone refused a write: only then does it make a difference that it is there. */
  alone: number;
}

/**
 * The conditions of all conditional writes, by name (`<who writes> <method>: <condition>`). Each is counted, and one can be
 * taken out: it then holds always, and whoever explores has to notice.
 */
export class Guards {
  readonly seen = new Map<string, Verdicts>();
  /** Conditions that alone refused a write since somebody last took them from here. */
  alone: string[] = [];
  /** The condition that was taken out. */
  readonly out: string | undefined;
  /** Who makes the write under way, and by which method. */
  #site = '';
  /** Conditions that the write under way has lost. */
  #lost = new Set<string>();

  constructor(out?: string) {
    this.out = out;
  }

  /** Does a write of somebody (`''`: of a test that sets up, which does not count). */
  during<T>(site: string, write: () => T): T {
    this.#site = site;
    try {
      return this.decide(write);
    } finally {
      this.#site = '';
    }
  }

  /** Decides about one write: all conditions that are counted meanwhile are its. */
  decide<T>(write: () => T): T {
    this.#lost.clear();
    try {
      return write();
    } finally {
      const [only, ...others] = this.#lost;
      if (only !== undefined && others.length === 0) {
        this.alone.push(only);
        this.#verdicts(only).alone += 1;
      }
    }
  }

  /** The verdict on one condition of the write under way; always true for the one that was taken out. */
  holds(condition: string, verdict: boolean): boolean {
    return this.#site === '' ? verdict : this.count(`${this.#site}: ${condition}`, verdict);
  }

  /** The same for a condition whose whole name is known. */
  count(name: string, verdict: boolean): boolean {
    const counts = this.#verdicts(name);
    if (verdict) counts.held += 1;
    else {
      counts.lost += 1;
      this.#lost.add(name);
    }
    return verdict || name === this.out;
  }

  #verdicts(name: string): Verdicts {
    let counts = this.seen.get(name);
    if (!counts) {
      counts = { held: 0, lost: 0, alone: 0 };
      this.seen.set(name, counts);
    }
    return counts;
  }
}

const frame = /at (?:async )?(?:([\w.$]+) \()?(?:file:\/\/)?\/.*\/(?:lib|functions)\/.*?([\w-]+)\.ts/;

/** The function of the product that called, found on the stack: `settleRun`, or the file's name for one without a name. */
export function callerName(): string {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 8;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = before;
  for (const line of stack.split('\n').slice(1)) {
    const found = frame.exec(line);
    if (found) return found[1]?.split('.').at(-1) ?? found[2] ?? 'unknown';
  }
  return 'test';
}
