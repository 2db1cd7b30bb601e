import type { Compilation } from './compile.ts';
import type { Json } from './json.ts';
import { compileTemplate, type Template, type TemplateFault } from './jsonata/template.ts';

/** A state's JSON and its place, while it is compiled. */
export interface Source {
  readonly name: string;
  readonly raw: { readonly [key: string]: Json };
  readonly at: string;
  /** Path of the enclosing block with a trailing slash, or "". */
  readonly prefix: string;
}

/** Compiles one field into a template; undefined when the field is absent. */
export function templateOf(
  compilation: Compilation,
  value: Json | undefined,
  path: string,
): Template | undefined {
  if (value === undefined) return undefined;
  const faults: TemplateFault[] = [];
  const template = compileTemplate(value, path, faults);
  for (const fault of faults) compilation.invalid(fault.path, fault.message);
  return template;
}

/** Templates by property, leaving out the absent ones. */
export function templatesOf<K extends string>(
  compilation: Compilation,
  { raw, at }: Source,
  wanted: Readonly<Record<K, string>>,
): { [P in K]?: Template } {
  const found: { [P in K]?: Template } = {};
  for (const [property, field] of Object.entries(wanted) as [K, string][]) {
    const template = templateOf(compilation, raw[field], `${at}.${field}`);
    if (template) found[property] = template;
  }
  return found;
}
