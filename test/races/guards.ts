/** How often a condition of a conditional write held, and how often it refused the write. */
export interface Verdicts {
  held: number;
  lost: number;
}

/**
 * The conditions of all conditional writes, by name (`<who writes> <method>: <condition>`). Each is counted, and one can be
 * taken out: it then holds always, and whoever explores has to notice.
 */
export class Guards {
  readonly seen = new Map<string, Verdicts>();
  /** Conditions that refused a write since somebody last took them from here. */
  lost: string[] = [];
  /** The condition that was taken out. */
  readonly out: string | undefined;
  /** Who makes the write under way, and by which method. */
  #site = '';

  constructor(out?: string) {
    this.out = out;
  }

  /** Does a write of somebody (`''`: of a test that sets up, which does not count). */
  during<T>(site: string, write: () => T): T {
    this.#site = site;
    try {
      return write();
    } finally {
      this.#site = '';
    }
  }

  /** The verdict on one condition of the write under way; always true for the one that was taken out. */
  holds(condition: string, verdict: boolean): boolean {
    return this.#site === '' ? verdict : this.count(`${this.#site}: ${condition}`, verdict);
  }

  /** The same for a condition whose whole name is known. */
  count(name: string, verdict: boolean): boolean {
    let counts = this.seen.get(name);
    if (!counts) {
      counts = { held: 0, lost: 0 };
      this.seen.set(name, counts);
    }
    if (verdict) counts.held += 1;
    else {
      counts.lost += 1;
      this.lost.push(name);
    }
    return verdict || name === this.out;
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
