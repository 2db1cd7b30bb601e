import { Throttled } from '../../lib/errors/run-errors.ts';
import { digest, digestOf } from './digest.ts';
import type { Footprint } from './footprint.ts';

/** How a call may end: `twice` is a call whose answer was lost and that the client sent again. */
export type Outcome = 'done' | 'refused' | 'lost' | 'twice' | 'dies before' | 'dies after';

/** A call that waits to be picked. */
export interface Point {
  readonly actor: Actor;
  /** Which of its actor's calls this is, from 0. */
  readonly nth: number;
  readonly label: string;
  readonly footprint: Footprint;
  readonly outcomes: readonly Outcome[];
  readonly perform: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What an actor asks of the world by one call. */
export type Asked = Pick<Point, 'label' | 'footprint' | 'outcomes' | 'perform'>;

/** How an actor's work ended. */
export type Ending = { readonly value: unknown } | { readonly error: Error } | 'died';

/** One handler or operation at work, with calls that wait until somebody picks them. */
export class Actor {
  readonly name: string;
  state: 'waiting' | 'running' | 'over' = 'waiting';
  points: Point[] = [];
  /** Of the execution's try that it works for; undefined where it works for none. */
  redriveCount: number | undefined;
  /** Whether one of its calls met a fault. */
  faulted = false;
  /** Stands for everything it was told: with its beginning it fixes what the actor does next. */
  chain = '';
  readonly #begin: () => Promise<unknown>;
  readonly #ended: (ending: Ending) => void;
  #calls = 0;
  readonly #dropped: Point[] = [];

  constructor(name: string, begin: () => Promise<unknown>, ended: (ending: Ending) => void) {
    this.name = name;
    this.#begin = begin;
    this.#ended = ended;
  }

  start(now: number): void {
    this.state = 'running';
    this.told('begins', now);
    this.#begin().then(
      (value) => this.#end({ value }),
      (error: Error) => this.#end({ error }),
    );
  }

  #end(ending: Ending, left?: Point): void {
    if (this.state === 'over') return;
    this.state = 'over';
    if (ending === 'died') this.#dropped.push(...this.points, ...(left ? [left] : []));
    this.points = [];
    this.#ended(ending);
  }

  /** Lets what is left of an actor's work unwind, so that nothing of a trial stays behind: no timer, no promise. */
  unwind(): void {
    this.state = 'over';
    for (const point of [...this.#dropped, ...this.points]) point.reject(new Error('The trial is over.'));
  }

  /** A call, answered when it is picked. */
  ask(asked: Asked): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.points.push({ actor: this, nth: this.#calls, ...asked, resolve, reject });
      this.#calls += 1;
    });
  }

  told(what: string, now: number): void {
    this.chain = digest(`${this.chain}\n${now} ${what}`);
  }

  /** Carries a call out, or not, and tells the actor, or not. */
  async settle(point: Point, outcome: Outcome, now: () => number): Promise<void> {
    this.points = this.points.filter((one) => one !== point);
    if (outcome !== 'done') this.faulted = true;
    if (outcome === 'dies before') return this.#end('died', point);
    if (outcome === 'refused') return this.#fail(point, new Throttled(`${point.label}: slow down`), now());
    try {
      let value = await point.perform();
      if (outcome === 'twice') value = await point.perform();
      if (outcome === 'dies after') return this.#end('died', point);
      if (outcome === 'lost')
        return this.#fail(
          point,
          new Throttled(`${point.label}: no answer`, undefined, { unclear: true }),
          now(),
        );
      this.told(`${point.nth} ${digestOf(value)}`, now());
      point.resolve(value);
    } catch (error) {
      if (outcome === 'dies after') return this.#end('died', point);
      this.#fail(point, error, now());
    }
  }

  #fail(point: Point, error: unknown, now: number): void {
    this.told(`${point.nth} ${digestOf(error)}`, now);
    point.reject(error);
  }
}
