/** A variable within a text: its body without `${` and `}`, and where it stands. */
export interface VariableSpan {
  readonly body: string;
  readonly start: number;
  /** Index after the closing brace. */
  readonly end: number;
}

/** `type:` or `type(`; CloudFormation's own `${AWS::Region}` and plain `${Name}` are none. */
const opening = /^[A-Za-z][A-Za-z0-9]*(?:\(|:(?!:))/;

/** Index after the brace that closes the variable opened at `start` (before `${`); -1 when none does. */
function endOf(text: string, start: number): number {
  let depth = 0;
  let quote = '';
  for (let index = start; index < text.length; index += 1) {
    const char = text[index] ?? '';
    // A brace in quotes is text.
    if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (text.startsWith('${', index)) depth += 1;
    else if (char === '}') {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return -1;
}

/** The first variable of a text at or after an index. `end` is -1 when it is never closed. */
export function nextVariable(text: string, from: number): VariableSpan | undefined {
  for (let start = text.indexOf('${', from); start >= 0; start = text.indexOf('${', start + 2)) {
    if (!opening.test(text.slice(start + 2))) continue;
    const end = endOf(text, start);
    return { body: end < 0 ? text.slice(start + 2) : text.slice(start + 2, end - 1), start, end };
  }
  return undefined;
}

/** Splits a variable's body at its commas, but not at those in quotes, parentheses or variables inside it. */
export function alternatives(body: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let part = '';
  for (const char of body) {
    if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === '{' || char === '(') depth += 1;
    else if (char === '}' || char === ')') depth -= 1;
    if (char === ',' && depth === 0 && quote === '') {
      parts.push(part.trim());
      part = '';
    } else part += char;
  }
  return [...parts, part.trim()];
}

/** The value of a fallback written literally: quoted text, number, boolean; undefined when it is an address. */
export function literalOf(text: string): { readonly value: unknown } | undefined {
  const [, quoted] = /^'([^']*)'$|^"([^"]*)"$/s.exec(text) ? [text, text.slice(1, -1)] : [];
  if (quoted !== undefined) return { value: quoted };
  if (/^-?\d+(\.\d+)?$/.test(text)) return { value: Number(text) };
  if (text === 'true' || text === 'false') return { value: text === 'true' };
  return text === 'null' ? { value: null } : undefined;
}
