import type { Actor, Outcome } from './actors.ts';
import type { Footprint } from './footprint.ts';
import type { Guards } from './guards.ts';
import type { Stores } from './memory-stores.ts';

/** Lets a call of an actor wait until it is picked. */
export type Gate = <T>(
  actor: Actor,
  asked: {
    readonly label: string;
    readonly footprint: Footprint;
    readonly outcomes: readonly Outcome[];
    readonly perform: () => T | Promise<T>;
  },
) => Promise<T>;

/** Stores under exploration: in memory the calls of a port are the points, on DynamoDB the requests. */
export interface ExploredStores {
  /** Stores that nobody waits at, for setting up and for looking. */
  readonly direct: Stores;
  /** The stores of one actor, a process of its own. */
  of(actor: Actor): Stores;
  /** Everything on record, by key; the same record is the same object. */
  records(): ReadonlyMap<string, object>;
  /** A short name of everything that is stored. */
  state(): string;
  /** An index that may lag: whether it does, from now on, and no more. */
  readonly index?: { lags(): boolean; lag(): void; catchUp(): void };
}

/** One way to keep records. `turns`: of the event loop, that a call takes to come to the gate, or its answer back. */
export interface StoreKind {
  readonly name: string;
  readonly turns: number;
  readonly guards: Guards;
  open(gate: Gate, now: () => number): ExploredStores;
}
