/** A value of an event that is neither object nor list. */
export type Leaf = string | number | boolean | null;

/** The element of a list that a leaf lies in, and the lists around it; undefined outside of all lists. */
export type Membership =
  | { readonly list: number; readonly index: number; readonly outer: Membership }
  | undefined;

/** The elements that fields chose so far: list to index. */
export type Chosen = ReadonlyMap<number, number>;

/** One leaf of an event under the dotted path of its fields. */
export interface EventField {
  readonly value: Leaf;
  readonly membership: Membership;
}

type Tree = { readonly [key: string]: unknown };

interface Open {
  readonly value: unknown;
  /** Undefined for the event itself. */
  readonly path: string | undefined;
  readonly membership: Membership;
  readonly depth: number;
}

/** EventBridge's matcher reads no deeper document (the default of its JSON reader, jackson-core). */
const deepestEvent = 1000;

/**
 * The leaves of an event by dotted path, those of the wanted paths only. Lists are looked into, also lists in lists; an empty
 * list or object has no leaf. A field named `a.b` and a field `b` of an object `a` have the same path, as on EventBridge.
 * Undefined when the event is deeper than the matcher reads on one of these paths.
 */
export function eventFields(
  event: Tree,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, readonly EventField[]> | undefined {
  const found = new Map<string, EventField[]>();
  const prefixes = prefixesOf(wanted);
  let lists = 0;
  // A list of its own instead of recursion: no event overflows the stack.
  const open: Open[] = [{ value: event, path: undefined, membership: undefined, depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path, membership: outer } = next;
    const depth = next.depth + 1;
    if (depth > deepestEvent) return undefined;
    if (Array.isArray(value)) {
      const list = lists;
      lists += 1;
      value.forEach((inner, index) => {
        // Only objects and lists bind what lies in them together: a plain element goes with any other element.
        const binds = typeof inner === 'object' && inner !== null;
        open.push({ value: inner, path, membership: binds ? { list, index, outer } : outer, depth });
      });
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        const here = path === undefined ? key : `${path}.${key}`;
        if (prefixes.has(here)) open.push({ value: inner, path: here, membership: outer, depth });
      }
    } else if (value !== undefined && path !== undefined && wanted.has(path)) {
      const fields = found.get(path) ?? [];
      fields.push({ value: value as Leaf, membership: outer });
      found.set(path, fields);
    }
  }
  return found;
}

/** Every beginning of the wanted paths that ends before a dot, and the paths: no other branch of an event is walked. */
function prefixesOf(wanted: ReadonlySet<string>): Set<string> {
  const prefixes = new Set(wanted);
  for (const path of wanted)
    for (let at = path.indexOf('.'); at >= 0; at = path.indexOf('.', at + 1)) prefixes.add(path.slice(0, at));
  return prefixes;
}

/** Whether a field lies in the elements chosen so far, of all lists that it and they have in common. */
export function liesIn(chosen: Chosen, membership: Membership): boolean {
  for (let at = membership; at; at = at.outer)
    if ((chosen.get(at.list) ?? at.index) !== at.index) return false;
  return true;
}

/** The elements chosen so far and those that a field lies in. */
export function choose(chosen: Chosen, membership: Membership): Chosen {
  if (!membership) return chosen;
  const all = new Map(chosen);
  for (let at: Membership = membership; at; at = at.outer) all.set(at.list, at.index);
  return all;
}
