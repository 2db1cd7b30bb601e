/** A resource as a rule sees it: `aws:s3/bucket:Bucket` and its resolved properties. */
export interface Seen {
  readonly type: string;
  readonly name: string;
  readonly props: Readonly<Record<string, unknown>>;
}

/** One statement of a policy document, its actions and resources as lists. */
export interface SeenStatement {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly principal: unknown;
  readonly conditions: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

function list(value: unknown): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

/** Statements of a document given as JSON text; a document that is not text has none yet (unknown at preview). */
export function statementsOf(text: unknown): SeenStatement[] {
  if (typeof text !== 'string' || !text.startsWith('{')) return [];
  const { Statement } = JSON.parse(text) as { Statement: Record<string, unknown>[] };
  return Statement.map((statement) => ({
    effect: String(statement['Effect']),
    actions: list(statement['Action']),
    resources: list(statement['Resource']),
    principal: statement['Principal'],
    conditions: (statement['Condition'] ?? {}) as SeenStatement['conditions'],
  }));
}

/** Value at a dotted path (`vpcConfig.endpointPrivateAccess`, list positions as numbers), or undefined. */
export function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined | null)?.[key], value);
}
