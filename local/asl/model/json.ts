/** A JSON value. Values are shared between states and never changed in place. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** True for objects, not for arrays and null. */
export function isObject(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value with its JSON text, which is made at most once. */
export class Payload {
  readonly value: Json;
  #text: string | undefined;

  constructor(value: Json, text?: string) {
    this.value = value;
    this.#text = text;
  }

  get text(): string {
    this.#text ??= JSON.stringify(this.value);
    return this.#text;
  }

  /** Whether the text is made: it then costs nothing. */
  get isWritten(): boolean {
    return this.#text !== undefined;
  }

  static parse(text: string): Payload {
    return new Payload(JSON.parse(text) as Json, text);
  }
}
