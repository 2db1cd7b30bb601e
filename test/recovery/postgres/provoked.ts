import { archiveTimeout } from './round.ts';

/** A fault that was provoked; `wrong` is undefined when it held. */
export interface Provoked {
  readonly fault: string;
  readonly what: string;
  readonly wrong?: string;
  /** What was measured of it. */
  readonly measured?: string;
}

/** Milliseconds that a copy in an archive may be behind. */
export const archiveRpoMs = (archiveTimeout + 5) * 1_000;
