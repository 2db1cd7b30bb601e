import type { SeenStatement } from '../../../infra/pulumi/policy/statements.ts';

/** What IAM knows of one call: condition keys, among them the session's tags (`aws:PrincipalTag/...`). */
export type Facts = Readonly<Record<string, string | readonly string[]>>;

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [String(value)]);

/** Replaces `${key}` by the call's fact; undefined when there is none: IAM then lets the statement match nothing. */
function filled(text: string, facts: Facts): string | undefined {
  let whole = true;
  const result = text.replace(/\$\{([^}]+)\}/g, (_, key: string) => {
    const value = facts[key];
    if (typeof value !== 'string') whole = false;
    // STS refuses tags with these letters; what a variable holds is text to IAM, never a pattern.
    return String(value).replace(/[*?]/g, (letter) => `\ue000${letter}`);
  });
  return whole ? result : undefined;
}

/** IAM's patterns: `*` is anything, `?` one character. */
function like(pattern: string, value: string): boolean {
  const source = pattern.replace(/\ue000?[\s\S]/g, (part) => {
    if (part === '*') return '[\\s\\S]*';
    if (part === '?') return '[\\s\\S]';
    return (part.startsWith('\ue000') ? part.slice(1) : part).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  });
  return new RegExp(`^${source}$`).test(value);
}

function holds(operator: string, key: string, allowed: readonly string[], facts: Facts): boolean {
  const actual = facts[key];
  const patterns = allowed.flatMap((one) => filled(one, facts) ?? []);
  if (operator === 'Null') return (actual === undefined) === allowed.includes('true');
  const test = (value: string) =>
    patterns.some((pattern) => (operator.endsWith('Like') ? like(pattern, value) : pattern === value));
  if (operator.startsWith('ForAllValues:')) return actual === undefined || list(actual).every(test);
  return typeof actual === 'string' && test(actual);
}

/** Whether a statement allows a call. Statements with operators that are not known here throw: a check must not pass by chance. */
function allows(
  statement: SeenStatement,
  action: string,
  resource: string | undefined,
  facts: Facts,
): boolean {
  if (statement.effect !== 'Allow' || !statement.actions.some((pattern) => like(pattern, action)))
    return false;
  if (
    resource !== undefined &&
    !statement.resources.some((pattern) => {
      const whole = filled(pattern, facts);
      return whole !== undefined && like(whole, resource);
    })
  )
    return false;
  return Object.entries(statement.conditions).every(([operator, keys]) => {
    if (!/^(Null|ArnLike|(ForAllValues:)?String(Equals|Like))$/.test(operator))
      throw new Error(`unknown operator ${operator}`);
    return Object.entries(keys).every(([key, value]) => holds(operator, key, list(value), facts));
  });
}

/** Whether a role's policy allows a call on a resource. */
export function permits(
  statements: readonly SeenStatement[],
  { action, resource, facts }: { readonly action: string; readonly resource: string; readonly facts: Facts },
): boolean {
  return statements.some((statement) => allows(statement, action, resource, facts));
}

/** Whether a role's trust lets a principal take it. */
export function trusts(
  statements: readonly SeenStatement[],
  { principal, facts }: { readonly principal: string; readonly facts: Facts },
): boolean {
  return ['sts:AssumeRole', 'sts:TagSession'].every((action) =>
    statements.some(
      (statement) =>
        (statement.principal as { AWS?: string } | undefined)?.AWS === principal &&
        allows(statement, action, undefined, facts),
    ),
  );
}
