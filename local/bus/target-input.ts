import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { TargetInput } from '../declaration/declarations.ts';
import type { BusEvent } from './envelope.ts';

type Tree = { readonly [key: string]: unknown };

function invalid(message: string): EpsilonError {
  return new EpsilonError('TARGET_INPUT_INVALID', `Target input: ${message}.`);
}

/** `$.a.b[0]`: the paths EventBridge's input path knows. */
const pathForm = /^\$(?:\.[A-Za-z0-9_-]+|\[\d+\]|\['[^']+'\])*$/;

function stepsOf(path: string): string[] {
  return [...path.matchAll(/\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']+)'\]/g)].map(
    ([, key, index, quoted]) => key ?? index ?? quoted ?? '',
  );
}

function at(value: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>(
    (here, step) =>
      typeof here === 'object' && here !== null && Object.hasOwn(here, step)
        ? (here as Tree)[step]
        : undefined,
    value,
  );
}

const reserved: Readonly<Record<string, (event: BusEvent) => unknown>> = {
  'aws.events.event': (event) => event,
  'aws.events.event.json': (event) => event,
  'aws.events.event.ingestion-time': (event) => event.time,
};

const placeholder = /<([A-Za-z0-9_.-]+)>/g;

/** Refuses what could not be made into an input: `TARGET_INPUT_INVALID`. */
export function checkTargetInput(target: TargetInput): void {
  const given = [target.input, target.inputPath, target.transformer].filter((each) => each !== undefined);
  if (given.length > 1) throw invalid('only one of Input, InputPath and InputTransformer may be given');
  if (target.input !== undefined) parse(target.input, 'Input');
  const paths = Object.entries(target.transformer?.paths ?? {});
  for (const path of [target.inputPath ?? '$', ...paths.map(([, path]) => path)])
    if (typeof path !== 'string' || !pathForm.test(path))
      throw invalid(`${JSON.stringify(path)} is not a path such as $.detail.data`);
  if (!target.transformer) return;
  for (const [name] of paths)
    if (name.startsWith('aws.')) throw invalid(`the name ${JSON.stringify(name)} is reserved`);
  const { template } = target.transformer;
  for (const [, name = ''] of template.matchAll(placeholder))
    if (!Object.hasOwn(target.transformer.paths, name) && !Object.hasOwn(reserved, name))
      throw invalid(`the template uses <${name}>, which has no path`);
  parse(
    fill(template, () => 0),
    'InputTemplate',
  );
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw invalid(`${name} is not JSON (${(error as Error).message})`);
  }
}

/**
 * Puts values into a template: within a JSON string as text, elsewhere as JSON. Where a string begins and ends is
 * counted on the template itself, so no value can break out of its place.
 */
function fill(template: string, valueFor: (name: string) => unknown): string {
  let inString = false;
  let made = '';
  for (const part of template.split(/(<[A-Za-z0-9_.-]+>|\\.|")/s)) {
    if (part === '"') inString = !inString;
    const name = /^<([A-Za-z0-9_.-]+)>$/.exec(part)?.[1];
    if (name === undefined) {
      made += part;
      continue;
    }
    const value = valueFor(name);
    const json = JSON.stringify(value ?? null);
    if (!inString) made += json;
    else if (value !== undefined && value !== null)
      made += typeof value === 'string' ? json.slice(1, -1) : JSON.stringify(json).slice(1, -1);
  }
  return made;
}

/** What a target gets for an event: constant, part, or template filled in; the event itself when nothing is declared. */
export function targetInputOf(target: TargetInput, event: BusEvent): unknown {
  const { input, inputPath, transformer } = target;
  if (input !== undefined) return JSON.parse(input) as unknown;
  if (inputPath !== undefined) return at(event, inputPath) ?? null;
  if (!transformer) return event;
  return JSON.parse(
    fill(transformer.template, (name) => {
      const own = Object.hasOwn(transformer.paths, name) ? transformer.paths[name] : undefined;
      return own === undefined ? reserved[name]?.(event) : at(event, own);
    }),
  ) as unknown;
}
