import type { Node } from './syntax-tree.ts';

/** What an expression refers to that is there only in some fields, or nowhere. */
export interface References {
  /** Names read at the top level, where a state machine has no context item: `phone`, or `$` for the item itself. */
  readonly topLevel: readonly string[];
  /** The expression reads `$$`. */
  readonly root: boolean;
  /** Fields of `$states` that it names. */
  readonly statesFields: readonly string[];
}

/** Parts of a node that are evaluated against what the node before them gave. */
const relative: ReadonlySet<string> = new Set([
  'predicate',
  'stages',
  'group',
  'terms',
  'pattern',
  'update',
  'delete',
]);

/** References in an expression's tree. */
export function referencesIn(tree: Node): References {
  const topLevel = new Set<string>();
  const statesFields = new Set<string>();
  let root = false;
  const visitPath = (steps: readonly Node[], top: boolean): void => {
    const [first, second] = steps;
    if (first?.type === 'variable' && first.value === 'states' && second?.type === 'name')
      statesFields.add(String(second.value));
    for (const [index, step] of steps.entries()) visit(step, top && index === 0);
  };
  const visit = (value: unknown, top: boolean): void => {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const each of value) visit(each, top);
      return;
    }
    const node = value as Node;
    if (node.type === 'variable' && node.value === '$') root = true;
    if (top && node.type === 'name') topLevel.add(String(node.value));
    if (top && node.type === 'variable' && node.value === '') topLevel.add('$');
    for (const [key, child] of Object.entries(node)) {
      if (key === 'steps') visitPath(child as readonly Node[], top);
      else visit(child, top && !relative.has(key));
    }
  };
  visit(tree, true);
  return { topLevel: [...topLevel], root, statesFields: [...statesFields] };
}
