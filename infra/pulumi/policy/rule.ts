import type { Seen } from './statements.ts';

/** What must hold of every resource of some types; `check` gives one sentence per fault. */
export interface Rule {
  readonly name: string;
  readonly description: string;
  readonly types: readonly string[];
  readonly check: (resource: Seen) => readonly string[];
}
