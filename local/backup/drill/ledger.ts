import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

/** A write that was acknowledged. */
export interface LedgerEntry {
  /** Version of the record that the write made; each write makes the next. */
  readonly version: number;
  /** When the acknowledgement came, in milliseconds since the Unix epoch. */
  readonly at: number;
}

/**
 * What was acknowledged, kept outside the state that is drilled: each entry is on the disk before the next write is asked for, so that
 * the ledger knows every write that somebody was promised.
 */
export class Ledger {
  readonly #file: string;
  readonly #descriptor: number;

  constructor(file: string) {
    this.#file = file;
    this.#descriptor = openSync(file, 'a', 0o600);
  }

  add(entry: LedgerEntry): void {
    writeSync(this.#descriptor, `${JSON.stringify(entry)}\n`);
    fsyncSync(this.#descriptor);
  }

  /** Everything that was acknowledged since the ledger was begun, oldest first. */
  entries(): LedgerEntry[] {
    return readFileSync(this.#file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LedgerEntry);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** What of a ledger the restored version of the record has not, and how long before the kill the newest survivor was acknowledged. */
export function lossOf(
  entries: readonly LedgerEntry[],
  restored: number,
  killedAt: number,
): { readonly acknowledged: number; readonly lost: number; readonly rpoMs: number } {
  const lost = entries.filter(({ version }) => version > restored).length;
  const survivor = entries.findLast(({ version }) => version <= restored);
  // None survived: everything since the first acknowledgement is lost, and at least that.
  const since = survivor?.at ?? entries[0]?.at ?? killedAt;
  return { acknowledged: entries.length, lost, rpoMs: lost === 0 ? 0 : killedAt - since };
}
