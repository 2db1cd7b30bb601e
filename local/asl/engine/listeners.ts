/** Who is told of something. One that throws is reported; it stops neither the others nor the step that is being recorded. */
export class Listeners<A extends readonly unknown[]> {
  readonly #all = new Set<(...about: A) => void>();
  readonly #onFault: (error: Error) => void;

  constructor(onFault: (error: Error) => void) {
    this.#onFault = onFault;
  }

  /** Whether anybody listens. */
  get any(): boolean {
    return this.#all.size > 0;
  }

  /** Returns the unsubscriber. */
  add(listener: (...about: A) => void): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  notify(...about: A): void {
    for (const listener of this.#all) {
      try {
        listener(...about);
      } catch (error) {
        this.#onFault(error as Error);
      }
    }
  }
}
