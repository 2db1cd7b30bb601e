import { compileTemplate, type Place, type Template, type TemplateFault } from '../jsonata/template.ts';
import type { Json } from '../model/json.ts';
import { missingReferences } from './check-references.ts';
import type { Compilation } from './compilation.ts';

/** A state's JSON and its place, while it is compiled. */
export interface Source {
  readonly name: string;
  readonly raw: { readonly [key: string]: Json };
  readonly at: string;
  /** Path of the enclosing block with a trailing slash, or "". */
  readonly prefix: string;
  /** Where in the state it is, with a trailing slash, where it is a part of one: `Catch[0]/`. */
  readonly within?: string;
}

/** What the expressions of a field see beside `$states.input` and `$states.context`. */
export type Sees = 'nothing more' | 'result' | 'errorOutput';

/** Compiles one field into a template; undefined when the field is absent. */
export function templateOf(
  compilation: Compilation,
  value: Json | undefined,
  place: Place,
  sees: Sees = 'nothing more',
): Template | undefined {
  if (value === undefined) return undefined;
  const faults: TemplateFault[] = [];
  const template = compileTemplate(
    value,
    { ...place, check: (tree) => missingReferences(tree, sees === 'nothing more' ? [] : [sees]) },
    faults,
  );
  for (const fault of faults) compilation.invalid(fault.path, fault.message);
  return template;
}

/** Templates by property, leaving out the absent ones. */
export function templatesOf<K extends string>(
  compilation: Compilation,
  { raw, at, within = '' }: Source,
  wanted: Readonly<Record<K, string>>,
  sees: Sees = 'nothing more',
): { [P in K]?: Template } {
  const found: { [P in K]?: Template } = {};
  for (const [property, field] of Object.entries(wanted) as [K, string][]) {
    const place = { path: `${at}.${field}`, location: `${within}${field}` };
    const template = templateOf(compilation, raw[field], place, sees);
    if (template) found[property] = template;
  }
  return found;
}
