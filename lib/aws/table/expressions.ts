/** Collects the names and values of one request; every name is a placeholder, so that no reserved word can meet us. */
export class Terms {
  readonly names: Record<string, string> = {};
  readonly values: Record<string, unknown> = {};
  readonly #byName = new Map<string, string>();
  #next = 0;

  /** Placeholder of an attribute. */
  name(attribute: string): string {
    const known = this.#byName.get(attribute);
    if (known !== undefined) return known;
    const placeholder = `#a${this.#byName.size}`;
    this.#byName.set(attribute, placeholder);
    this.names[placeholder] = attribute;
    return placeholder;
  }

  /** Placeholder of a value. */
  value(value: unknown): string {
    const placeholder = `:v${this.#next}`;
    this.#next += 1;
    this.values[placeholder] = value;
    return placeholder;
  }

  /** The request's fields for names and values; DynamoDB refuses empty ones. */
  fields(): {
    ExpressionAttributeNames?: Record<string, string>;
    ExpressionAttributeValues?: Record<string, unknown>;
  } {
    return {
      ...(this.#byName.size > 0 ? { ExpressionAttributeNames: this.names } : {}),
      ...(this.#next > 0 ? { ExpressionAttributeValues: this.values } : {}),
    };
  }
}

/** A part of an expression, written when the request's terms are collected. */
export type Part = (terms: Terms) => string;

/** Comparison of an attribute with a value; false where the attribute is absent. */
export const compare =
  (attribute: string, operator: '=' | '<>' | '<' | '<=' | '>' | '>=', value: unknown): Part =>
  (terms) =>
    `${terms.name(attribute)} ${operator} ${terms.value(value)}`;

/** The attribute has one of these values. */
export const isOneOf =
  (attribute: string, values: readonly unknown[]): Part =>
  (terms) =>
    `${terms.name(attribute)} IN (${values.map((value) => terms.value(value)).join(', ')})`;

/** The attribute lies between two values, both included. */
export const between =
  (attribute: string, from: unknown, to: unknown): Part =>
  (terms) =>
    `${terms.name(attribute)} BETWEEN ${terms.value(from)} AND ${terms.value(to)}`;

/** The attribute begins with this text. */
export const beginsWith =
  (attribute: string, text: string): Part =>
  (terms) =>
    `begins_with(${terms.name(attribute)}, ${terms.value(text)})`;

/** The attribute is there; `pk` asks whether the item is. */
export const present =
  (attribute: string): Part =>
  (terms) =>
    `attribute_exists(${terms.name(attribute)})`;

/** The attribute is not there; `pk` asks whether the item is not. */
export const absent =
  (attribute: string): Part =>
  (terms) =>
    `attribute_not_exists(${terms.name(attribute)})`;

/** Every part holds. */
export const all =
  (...parts: readonly Part[]): Part =>
  (terms) =>
    parts.map((part) => part(terms)).join(' AND ');

/** Every part holds, inside a part that is one of several. */
export const both =
  (...parts: readonly Part[]): Part =>
  (terms) =>
    `(${all(...parts)(terms)})`;

/** One of the parts holds. */
export const any =
  (...parts: readonly Part[]): Part =>
  (terms) =>
    `(${parts.map((part) => part(terms)).join(' OR ')})`;

/** What an update does; a function writes its own right-hand side. `undefined` and `null` take the attribute away. */
export type Changes = Readonly<Record<string, unknown>>;

/** One more than the attribute has, 1 where it is absent. */
export const oneMore =
  (attribute: string): Part =>
  (terms) =>
    `if_not_exists(${terms.name(attribute)}, ${terms.value(0)}) + ${terms.value(1)}`;

/** The update expression of changes. */
export function updateExpression(changes: Changes, terms: Terms): string {
  const set: string[] = [];
  const remove: string[] = [];
  for (const [attribute, value] of Object.entries(changes)) {
    if (value === undefined || value === null) remove.push(terms.name(attribute));
    else if (typeof value === 'function') set.push(`${terms.name(attribute)} = ${(value as Part)(terms)}`);
    else set.push(`${terms.name(attribute)} = ${terms.value(value)}`);
  }
  return [
    ...(set.length > 0 ? [`SET ${set.join(', ')}`] : []),
    ...(remove.length > 0 ? [`REMOVE ${remove.join(', ')}`] : []),
  ].join(' ');
}
