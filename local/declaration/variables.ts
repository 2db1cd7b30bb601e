import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { readYaml } from './read-yaml.ts';
import { alternatives, literalOf, nextVariable } from './variable-text.ts';

/** What variables of serverless.yml may come from. */
export interface VariableSources {
  /** Folder of serverless.yml. */
  readonly folder: string;
  /** Value of `${sls:stage}` and `${opt:stage}`. */
  readonly environment: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Options of the command line besides `--stage`. */
  readonly options?: Readonly<Record<string, string | undefined>>;
  /** Stands in for values that only an account knows (`ssm:`, `cf:`). */
  readonly external: (source: 'ssm' | 'cf', address: string) => string;
}

type Tree = { readonly [key: string]: unknown };

/** Where a value is. */
interface Place {
  /** Relative to the folder of serverless.yml. */
  readonly file: string;
  readonly path: string;
  /** How many variables have been followed to get here. */
  readonly depth: number;
}

/** Variables that lead to variables; more than this is a circle. */
const deepest = 50;

const serviceFile = 'serverless.yml';

function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Tree)[key]
    : undefined;
}

/** Resolves the variables of serverless.yml and its includes, as far as this project uses them. */
export class Variables {
  readonly #root: Tree;
  readonly #sources: VariableSources;
  readonly #files = new Map<string, unknown>();
  readonly #origins = new WeakMap<object, string>();

  constructor(root: Tree, sources: VariableSources) {
    this.#root = root;
    this.#sources = sources;
  }

  /** The value with every `${...}` in it resolved; throws `SERVICE_INVALID` naming the variable and its place. */
  resolve(value: unknown, path: string): unknown {
    return this.#value(value, { file: serviceFile, path, depth: 0 });
  }

  /** The file a resolved object or list was written in, relative to the folder of serverless.yml. */
  fileOf(value: unknown): string {
    return (
      (typeof value === 'object' && value !== null ? this.#origins.get(value) : undefined) ?? serviceFile
    );
  }

  #value(value: unknown, place: Place): unknown {
    if (place.depth > deepest) throw this.#invalid(place, 'variables refer to each other in a cycle');
    if (typeof value === 'string') return this.#text(value, place);
    if (typeof value !== 'object' || value === null) return value;
    const inside = (key: string) => ({ ...place, path: place.path === '' ? key : `${place.path}.${key}` });
    const made = Array.isArray(value)
      ? value.map((each, index) => this.#value(each, { ...place, path: `${place.path}[${index}]` }))
      : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.#value(each, inside(key))]));
    this.#origins.set(made, place.file);
    return made;
  }

  #text(text: string, place: Place): unknown {
    let made = '';
    let from = 0;
    for (let span = nextVariable(text, 0); span; span = nextVariable(text, from)) {
      if (span.end < 0) throw this.#invalid(place, `\${${span.body} is not closed`);
      const found = this.#lookUp(span.body, place);
      if (span.start === 0 && span.end === text.length) return found;
      if (typeof found === 'object' && found !== null)
        throw this.#invalid(place, `\${${span.body}} is not text and cannot be used inside text`);
      made += text.slice(from, span.start) + String(found);
      from = span.end;
    }
    return made + text.slice(from);
  }

  /** The first alternative that has a value; those after it are not looked at. */
  #lookUp(body: string, place: Place): unknown {
    const parts = alternatives(body);
    for (const [index, part] of parts.entries()) {
      const literal = index > 0 ? literalOf(part) : undefined;
      if (literal) return literal.value;
      const span = nextVariable(part, 0);
      const found =
        span?.start === 0 && span.end === part.length
          ? this.#attempt(span.body, place)
          : this.#source(String(this.#text(part, place)), place);
      if (found !== undefined && found !== null) return found;
    }
    const missing = parts.some((part) => part.startsWith('file(') && !this.#exists(part, place));
    throw this.#invalid(place, `\${${body}} has no value${missing ? ': there is no such file' : ''}`);
  }

  /** A variable as a fallback: one without value leaves the word to the next. */
  #attempt(body: string, place: Place): unknown {
    const parts = alternatives(body);
    return parts.length > 1
      ? this.#lookUp(body, place)
      : this.#source(String(this.#text(body, place)), place);
  }

  #source(address: string, place: Place): unknown {
    const deeper = { ...place, depth: place.depth + 1 };
    const file = /^file\(([^)]*)\)(?::(.*))?$/s.exec(address);
    if (file) return this.#file((file[1] ?? '').trim(), file[2] ?? '', deeper);
    const [kind = '', ...rest] = address.split(':');
    const path = rest.join(':');
    switch (kind) {
      case 'self':
        return this.#follow(this.#root, path, { ...deeper, file: serviceFile, path });
      case 'sls':
        return path === 'stage' ? this.#sources.environment : undefined;
      case 'opt':
        return path === 'stage' ? this.#sources.environment : own(this.#sources.options ?? {}, path);
      case 'env':
        return own(this.#sources.variables, path);
      case 'param':
        return this.#param(path, deeper);
      // Of our own plugin; who reads the service here checks the settings too.
      case 'settings':
        return this.#settings(path, deeper);
      case 'ssm':
      case 'cf':
        return this.#sources.external(kind, path);
      default:
        throw this.#invalid(place, `\${${address}} is a variable that the embedded runtime does not support`);
    }
  }

  #settings(path: string, place: Place): unknown {
    const [environment = '', table] = path.split('/');
    const value = this.#file(`infra/config/${environment}.yml`, table ?? '', place);
    return table === undefined ? value : JSON.stringify(value);
  }

  #exists(address: string, place: Place): boolean {
    const path = /^file\(([^)]*)\)/.exec(String(this.#text(address, place)))?.[1] ?? '';
    return existsSync(resolve(this.#sources.folder, path.trim()));
  }

  #param(name: string, place: Place): unknown {
    const params = own(this.#root, 'params');
    const found = own(own(params, this.#sources.environment), name) ?? own(own(params, 'default'), name);
    return this.#value(found, { ...place, file: serviceFile, path: `params.${name}` });
  }

  /** Follows a path; a value on the way may itself be a variable. A resolved value is not resolved again. */
  #follow(start: unknown, path: string, place: Place): unknown {
    let here = start;
    let resolved = false;
    for (const key of path === '' ? [] : path.split('.')) {
      here = own(here, key);
      if (typeof here !== 'string' || resolved) continue;
      here = this.#value(here, place);
      resolved = true;
    }
    // The service as a whole contains the variable that would ask for it.
    if (here === this.#root) return undefined;
    return resolved ? here : this.#value(here, place);
  }

  #file(path: string, address: string, place: Place): unknown {
    const full = resolve(this.#sources.folder, path);
    if (!/\.(ya?ml|json)$/.test(path))
      throw this.#invalid(place, `\${file(${path})} is neither YAML nor JSON`);
    if (!existsSync(full)) return undefined;
    if (!this.#files.has(full)) this.#files.set(full, readYaml(full));
    const file = relative(this.#sources.folder, full);
    return this.#follow(this.#files.get(full), address, { ...place, file });
  }

  #invalid(place: Place, message: string): EpsilonError {
    return new EpsilonError('SERVICE_INVALID', `${place.file}, ${place.path}: ${message}.`, {
      details: { file: place.file, place: place.path },
    });
  }
}
