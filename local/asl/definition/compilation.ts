import { isObject, type Json } from '../model/json.ts';
import type { Block, Fault, State } from './machine.ts';

/** Compiles one state; faults go to the compilation, and a state of an unknown type gives undefined. */
export type StateCompiler = (
  compilation: Compilation,
  name: string,
  value: Json,
  at: string,
  prefix: string,
) => State | undefined;

/** Collects blocks and faults while a definition is read. */
export class Compilation {
  readonly faults: Fault[] = [];
  readonly blocks = new Map<string, Block>();
  readonly #compileState: StateCompiler;
  /** Where each state's name was first used: names are used once in a whole definition. */
  readonly #places = new Map<string, string>();

  /** Variables assigned in each part that encloses the one under way, and in that. */
  readonly #assigned: ReadonlySet<string>[] = [];
  readonly #labels = new Map<string, string>();

  constructor(compileState: StateCompiler) {
    this.#compileState = compileState;
  }

  invalid(path: string, message: string): void {
    this.faults.push({ code: 'ASL_INVALID', path, message });
  }

  unsupported(path: string, message: string): void {
    this.faults.push({ code: 'ASL_UNSUPPORTED', path, message });
  }

  /** Refuses fields that are not in `known`, by name: nothing is ever skipped silently. */
  checkFields(value: { readonly [key: string]: Json }, known: readonly string[], path: string): void {
    if (value['Comment'] !== undefined && typeof value['Comment'] !== 'string')
      this.invalid(`${path}.Comment`, 'must be text');
    for (const key of Object.keys(value)) {
      if (jsonPathFields.has(key))
        this.unsupported(
          `${path}.${key}`,
          `${key} belongs to JSONPath; this engine runs the JSONata dialect`,
        );
      else if (!known.includes(key)) this.unsupported(`${path}.${key}`, `unknown field ${key}`);
    }
  }

  /** Whether a part that encloses the one under way assigns a variable. */
  isAssignedOutside(name: string): boolean {
    return this.#assigned.slice(0, -1).some((names) => names.has(name));
  }

  /** Labels become part of ARNs, and are used once in a whole definition. */
  checkLabel(label: string, path: string): void {
    const first = this.#labels.get(label);
    if (first === undefined) this.#labels.set(label, path);
    else this.invalid(path, `is the Label of ${first.replace(/^\./, '')} already; a Label is used once`);
  }

  /** Compiles `StartAt` and `States` of a machine, branch or processor. */
  block(value: { readonly [key: string]: Json }, path: string, at: string): Block {
    const raw = isObject(value['States']) ? value['States'] : {};
    if (Object.keys(raw).length === 0) this.invalid(`${at}.States`, 'at least one state is needed');
    const states = new Map<string, State>();
    const prefix = path === '' ? '' : `${path}/`;
    this.#assigned.push(new Set(Object.values(raw).flatMap(assignedIn)));
    for (const [name, state] of Object.entries(raw)) {
      if (name === '' || [...name].length > 80)
        this.invalid(`${at}.States.${name}`, 'a state name has at most 80 characters, and at least one');
      this.#checkOnce(name, `${at}.States.${name}`);
      const compiled = this.#compileState(this, name, state, `${at}.States.${name}`, prefix);
      if (compiled) states.set(name, compiled);
    }
    this.#assigned.pop();
    const startAt = value['StartAt'];
    if (typeof startAt !== 'string' || !Object.hasOwn(raw, startAt)) {
      this.invalid(`${at}.StartAt`, `names no state: ${JSON.stringify(startAt ?? null)}`);
    }
    const block = { path, startAt: String(startAt), states };
    this.#checkFlow(block, at, Object.keys(raw));
    this.blocks.set(path, block);
    return block;
  }

  #checkOnce(name: string, place: string): void {
    const first = this.#places.get(name);
    if (first === undefined) this.#places.set(name, place);
    else
      this.invalid(place, `has the name of ${first.replace(/^\./, '')}; a name is used once in a definition`);
  }

  #checkFlow(block: Block, at: string, names: readonly string[]): void {
    const targetsOf = (state: State): string[] => [
      ...(state.next === undefined ? [] : [state.next]),
      ...state.catch.map((catcher) => catcher.next),
      ...(state.type === 'Choice'
        ? [...state.choices.map((rule) => rule.next), ...(state.default === undefined ? [] : [state.default])]
        : []),
    ];
    const reached = new Set<string>();
    const queue = [block.startAt];
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (reached.has(name)) continue;
      reached.add(name);
      const state = block.states.get(name);
      if (!state) continue;
      for (const target of targetsOf(state)) {
        if (!names.includes(target))
          this.invalid(`${at}.States.${name}`, `goes to "${target}", which is not a state here`);
        else queue.push(target);
      }
    }
    for (const name of names)
      if (!reached.has(name)) this.invalid(`${at}.States.${name}`, 'is never reached');
    const ends = [...block.states.values()].some(
      (state) => state.end || state.type === 'Succeed' || state.type === 'Fail',
    );
    // As on the service: only the machine itself is asked for an end.
    if (!ends && block.path === '' && block.states.size > 0)
      this.invalid(
        `${at}.States`,
        'no state ends the machine: one needs "End": true, or to be a Succeed or Fail',
      );
  }
}

/** Variables that a state assigns, in its rules and catchers too. */
function assignedIn(state: Json): string[] {
  if (!isObject(state)) return [];
  const { Assign: own, Choices: rules, Catch: catchers } = state;
  const parts = [rules, catchers].flatMap((list) => (Array.isArray(list) ? (list as readonly Json[]) : []));
  const all = [own, ...parts.map((part) => (isObject(part) ? part['Assign'] : undefined))];
  return all.flatMap((assign) => (isObject(assign) ? Object.keys(assign) : []));
}

/** Fields of the JSONPath dialect, refused by name. */
const jsonPathFields: ReadonlySet<string> = new Set([
  'InputPath',
  'OutputPath',
  'ResultPath',
  'Parameters',
  'ResultSelector',
  'ItemsPath',
  'SecondsPath',
  'TimestampPath',
  'TimeoutSecondsPath',
  'HeartbeatSecondsPath',
  'ErrorPath',
  'CausePath',
  'Variable',
]);
