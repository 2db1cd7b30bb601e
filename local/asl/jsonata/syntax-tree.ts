/** The part of the library's syntax tree that is read here. */
export interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly steps?: readonly Node[];
  readonly lhs?: Node | readonly (readonly Node[])[];
  readonly rhs?: Node;
  readonly expressions?: readonly Node[];
  readonly expression?: Node;
  readonly condition?: Node;
  readonly then?: Node;
  readonly else?: Node;
  readonly procedure?: Node;
  readonly arguments?: readonly Node[];
  readonly body?: Node;
  readonly [other: string]: unknown;
}

/** What an expression names. */
export interface Names {
  /** Variables, those it binds itself included; without `$` and `$$`. */
  readonly variables: ReadonlySet<string>;
  /** Fields of `$states` it reads; undefined where it reads the whole of it. */
  readonly statesFields: ReadonlySet<string> | undefined;
}

/** Names in an expression's tree. */
export function namesIn(tree: Node): Names {
  const variables = new Set<string>();
  const fields = new Set<string>();
  let whole = false;
  const visit = (node: unknown, field?: Node): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, value, steps } = node as Node;
    if (type === 'path' && steps) {
      visit(steps[0], steps[1]);
      for (const step of steps.slice(1)) visit(step);
      for (const [key, child] of Object.entries(node)) if (key !== 'steps') visit(child);
      return;
    }
    if (type === 'variable' && typeof value === 'string' && value !== '' && value !== '$') {
      variables.add(value);
      const bare = !('predicate' in node) && !('group' in node);
      if (value === 'states' && bare && field?.type === 'name') fields.add(String(field.value));
      else if (value === 'states') whole = true;
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(tree);
  return { variables, statesFields: whole ? undefined : fields };
}
