import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

/** Gathers what is wrong with declarations, so that one run shows all of it. */
export class Faults {
  readonly #found: EpsilonError[] = [];

  /** Notes a fault at a place (`events/rules.yml, resources.Nightly`). */
  add(place: string, message: string): void {
    this.#found.push(new EpsilonError('SERVICE_INVALID', `${place}: ${message}.`, { details: { place } }));
  }

  /** Runs a check; what it throws is noted under its own code, with the place in front. */
  check<T>(place: string, make: () => T): T | undefined {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof EpsilonError)) throw error;
      const details = { ...error.details, place };
      this.#found.push(new EpsilonError(error.code, `${place}: ${error.message}`, { details, cause: error }));
      return undefined;
    }
  }

  /** Throws the first fault, its message followed by those of the others. */
  throwIfAny(): void {
    const [first, ...others] = this.#found;
    if (!first) return;
    if (others.length === 0) throw first;
    throw new EpsilonError(first.code, this.#found.map(({ message }) => message).join('\n'), {
      details: { ...first.details, faults: this.#found.map(({ code, message }) => ({ code, message })) },
      cause: first,
    });
  }
}
