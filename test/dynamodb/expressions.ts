import { compareWire, equalWire, Invalid, type Wire, type WireItem } from './values.ts';

/** Placeholders of one request; what is given and not used, or used and not given, is refused as DynamoDB does. */
export class Placeholders {
  readonly #names: Readonly<Record<string, string>>;
  readonly #values: Readonly<Record<string, Wire>>;
  readonly #used = new Set<string>();

  constructor(names: Readonly<Record<string, string>> = {}, values: Readonly<Record<string, Wire>> = {}) {
    this.#names = names;
    this.#values = values;
  }

  name(placeholder: string): string {
    const name = this.#names[placeholder];
    if (name === undefined) throw new Invalid(`An expression attribute name is not defined: ${placeholder}`);
    this.#used.add(placeholder);
    return name;
  }

  value(placeholder: string): Wire {
    const value = this.#values[placeholder];
    if (value === undefined)
      throw new Invalid(`An expression attribute value is not defined: ${placeholder}`);
    this.#used.add(placeholder);
    return value;
  }

  checkAllUsed(): void {
    const left = [...Object.keys(this.#names), ...Object.keys(this.#values)].filter(
      (one) => !this.#used.has(one),
    );
    if (left.length > 0) throw new Invalid(`Value unused in expressions: ${left.join(', ')}`);
  }
}

/** A condition on an item. */
export type Condition = (item: WireItem) => boolean;

type Operand = (item: WireItem) => Wire | undefined;

const tokenPattern = /\s*(#[a-z0-9_]+|:[a-z0-9_]+|<>|<=|>=|[=<>(),+-]|[A-Za-z_]+)/iy;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.trimEnd().length) {
    const at = tokenPattern.lastIndex;
    const token = tokenPattern.exec(text)?.[1];
    if (token === undefined)
      throw new Invalid(`Invalid expression: syntax error near "${text.slice(at, at + 12)}"`);
    tokens.push(token);
  }
  return tokens;
}

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Parses what we use of DynamoDB's expression language; attribute names must be placeholders, anything else is refused. */
export class Parser {
  readonly #tokens: string[];
  readonly #terms: Placeholders;
  #at = 0;

  constructor(text: string, terms: Placeholders) {
    if (text.trim() === '') throw new Invalid('The expression can not be empty');
    this.#tokens = tokensOf(text);
    this.#terms = terms;
  }

  get #peek(): string {
    return this.#tokens[this.#at] ?? '';
  }

  #next(): string {
    this.#at += 1;
    return this.#tokens[this.#at - 1] ?? '';
  }

  #is(word: string): boolean {
    if (this.#peek.toUpperCase() !== word) return false;
    this.#at += 1;
    return true;
  }

  #expect(word: string): void {
    if (!this.#is(word)) throw new Invalid(`Invalid expression: expected ${word}, found "${this.#peek}"`);
  }

  #end(): void {
    if (this.#at < this.#tokens.length) throw new Invalid(`Invalid expression: unexpected "${this.#peek}"`);
  }

  /** A condition, filter or key condition. */
  condition(): Condition {
    const condition = this.#or();
    this.#end();
    return condition;
  }

  #or(): Condition {
    const parts = [this.#and()];
    while (this.#is('OR')) parts.push(this.#and());
    return (item) => parts.some((part) => part(item));
  }

  #and(): Condition {
    const parts = [this.#not()];
    while (this.#is('AND')) parts.push(this.#not());
    return (item) => parts.every((part) => part(item));
  }

  #not(): Condition {
    if (!this.#is('NOT')) return this.#primary();
    const inner = this.#not();
    return (item) => !inner(item);
  }

  #primary(): Condition {
    if (this.#is('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    if (this.#tokens[this.#at + 1] === '(') return this.#call();
    const left = this.#operand();
    if (this.#is('BETWEEN')) return this.#between(left);
    if (this.#is('IN')) return this.#in(left);
    return this.#comparison(left);
  }

  #call(): Condition {
    const called = this.#next();
    this.#expect('(');
    const attribute = this.#attribute(this.#next());
    if (called === 'attribute_exists' || called === 'attribute_not_exists') {
      this.#expect(')');
      return (item) => (item[attribute] !== undefined) === (called === 'attribute_exists');
    }
    if (called !== 'begins_with') throw new Invalid(`Invalid function name; function: ${called}`);
    this.#expect(',');
    const start = this.#terms.value(this.#next());
    this.#expect(')');
    return (item) => {
      const value = item[attribute];
      return value !== undefined && 'S' in value && 'S' in start && value.S.startsWith(start.S);
    };
  }

  #between(left: Operand): Condition {
    const low = this.#operand();
    this.#expect('AND');
    const high = this.#operand();
    return (item) => {
      const [value, from, to] = [left(item), low(item), high(item)];
      if (!from || !to) return false;
      if ((compareWire(from, to) ?? 1) > 0)
        throw new Invalid(
          'The BETWEEN operator requires upper bound to be greater than or equal to lower bound',
        );
      return (
        value !== undefined && (compareWire(value, from) ?? -1) >= 0 && (compareWire(value, to) ?? 1) <= 0
      );
    };
  }

  #in(left: Operand): Condition {
    this.#expect('(');
    const choices = [this.#operand()];
    while (this.#is(',')) choices.push(this.#operand());
    this.#expect(')');
    if (choices.length > 100) throw new Invalid('IN takes at most 100 operands');
    return (item) => {
      const value = left(item);
      return (
        value !== undefined &&
        choices.some((choice) => {
          const chosen = choice(item);
          return chosen !== undefined && equalWire(value, chosen);
        })
      );
    };
  }

  #comparison(left: Operand): Condition {
    const operator = this.#next();
    const right = this.#operand();
    return (item) => {
      const [a, b] = [left(item), right(item)];
      if (operator === '<>') return a === undefined || b === undefined ? a !== b : !equalWire(a, b);
      if (a === undefined || b === undefined) return false;
      if (operator === '=') return equalWire(a, b);
      const compared = comparisons[operator];
      if (!compared) throw new Invalid(`Invalid expression: unexpected "${operator}"`);
      const order = compareWire(a, b);
      return order !== undefined && compared(order);
    };
  }

  #operand(): Operand {
    const token = this.#next();
    if (token.startsWith(':')) {
      const value = this.#terms.value(token);
      return () => value;
    }
    const name = this.#attribute(token);
    return (item) => item[name];
  }

  /** A placeholder, or a bare name of several words: no reserved word of DynamoDB is one, all others could be. */
  #attribute(token: string): string {
    if (token.startsWith('#')) return this.#terms.name(token);
    if (/^[a-z]+([A-Z][a-z]*)+$/.test(token)) return token;
    throw new Invalid(`Only placeholders are taken as names here: "${token}"`);
  }

  /** An update: what the item becomes, and the attributes that are touched. */
  update(): { apply: (item: WireItem) => WireItem; touched: readonly string[] } {
    const set: (readonly [string, Operand])[] = [];
    const removed: string[] = [];
    while (this.#at < this.#tokens.length) {
      if (this.#is('SET'))
        do set.push(this.#assignment());
        while (this.#is(','));
      else if (this.#is('REMOVE'))
        do removed.push(this.#terms.name(this.#next()));
        while (this.#is(','));
      else throw new Invalid(`Invalid UpdateExpression: unexpected "${this.#peek}"`);
    }
    const touched = [...set.map(([name]) => name), ...removed];
    if (new Set(touched).size < touched.length)
      throw new Invalid('Two document paths overlap with each other');
    return {
      touched,
      apply: (item) => {
        const after: Record<string, Wire> = { ...item };
        for (const [name, value] of set) {
          const next = value(item);
          if (next === undefined)
            throw new Invalid(
              'The provided expression refers to an attribute that does not exist in the item',
            );
          after[name] = next;
        }
        for (const name of removed) delete after[name];
        return after;
      },
    };
  }

  #assignment(): readonly [string, Operand] {
    const name = this.#attribute(this.#next());
    this.#expect('=');
    let value = this.#settable();
    while (this.#peek === '+' || this.#peek === '-') value = this.#sum(value);
    return [name, value];
  }

  #sum(left: Operand): Operand {
    const sign = this.#next() === '+' ? 1 : -1;
    const right = this.#settable();
    return (item) => {
      const [a, b] = [left(item), right(item)];
      if (!a || !b || !('N' in a) || !('N' in b))
        throw new Invalid('Incorrect operand type for operator or function');
      return { N: String(Number(a.N) + sign * Number(b.N)) };
    };
  }

  #settable(): Operand {
    if (!this.#is('IF_NOT_EXISTS')) return this.#operand();
    this.#expect('(');
    const there = this.#operand();
    this.#expect(',');
    const otherwise = this.#operand();
    this.#expect(')');
    return (item) => there(item) ?? otherwise(item);
  }
}
