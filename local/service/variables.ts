import { resolve } from 'node:path';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { readYaml } from './read-yaml.ts';

/** What variables of serverless.yml may come from. */
export interface VariableSources {
  /** Folder of serverless.yml. */
  readonly folder: string;
  readonly stage: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Stands in for values that only an account knows (`ssm:`, `cf:`). */
  readonly external: (source: 'ssm' | 'cf', address: string) => string;
}

type Tree = { readonly [key: string]: unknown };

const variable = /\$\{((?:[a-z]+(?:\([^)]*\))?):?[^${}]*)\}/;

function at(value: unknown, path: string): unknown {
  if (path === '') return value;
  return path
    .split('.')
    .reduce<unknown>(
      (here, key) => (typeof here === 'object' && here !== null ? (here as Tree)[key] : undefined),
      value,
    );
}

/** Resolves the variables of serverless.yml and its includes, as far as this project uses them. */
export class Variables {
  readonly #root: Tree;
  readonly #sources: VariableSources;
  readonly #files = new Map<string, unknown>();

  constructor(root: Tree, sources: VariableSources) {
    this.#root = root;
    this.#sources = sources;
  }

  /** The value with every `${...}` in it resolved; throws `SERVICE_INVALID` naming the variable and its place. */
  resolve(value: unknown, place: string, depth = 0): unknown {
    if (depth > 50) throw this.#invalid(place, 'variables refer to each other in a circle');
    if (Array.isArray(value))
      return value.map((each, index) => this.resolve(each, `${place}[${index}]`, depth));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, each]) => [
          key,
          this.resolve(each, place === '' ? key : `${place}.${key}`, depth),
        ]),
      );
    }
    return typeof value === 'string' ? this.#text(value, place, depth) : value;
  }

  #text(text: string, place: string, depth: number): unknown {
    // `${AWS::Region}` and other names of Fn::Sub are CloudFormation's own.
    const match = variable.exec(text);
    const body = match?.[1];
    if (!match || body === undefined || !/^[a-z]+[:(]/.test(body)) return text;
    const found = this.resolve(this.#lookUp(body, place, depth), place, depth + 1);
    if (match[0] === text) return found;
    if (typeof found === 'object')
      throw this.#invalid(place, `\${${body}} is not text and cannot stand inside text`);
    return this.#text(
      text.replace(match[0], () => String(found)),
      place,
      depth + 1,
    );
  }

  #lookUp(body: string, place: string, depth: number): unknown {
    const [address = '', ...rest] = body.split(/,\s*/);
    const found = this.#source(address.trim(), place, depth);
    if (found !== undefined) return found;
    const fallback = rest.join(', ').trim();
    if (fallback === '') throw this.#invalid(place, `\${${body}} has no value`);
    return /^(['"]).*\1$/s.test(fallback) ? fallback.slice(1, -1) : this.#literal(fallback, place, depth);
  }

  #literal(text: string, place: string, depth: number): unknown {
    if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
    if (text === 'true' || text === 'false') return text === 'true';
    return this.#source(text, place, depth);
  }

  #source(address: string, place: string, depth: number): unknown {
    const file = /^file\(([^)]*)\)(?::(.*))?$/s.exec(address);
    if (file) return at(this.#file(file[1] ?? ''), file[2] ?? '');
    const [kind = '', ...rest] = address.split(':');
    const path = rest.join(':');
    switch (kind) {
      case 'self':
        return this.#self(path, place, depth);
      case 'sls':
        return path === 'stage' ? this.#sources.stage : undefined;
      case 'opt':
        return path === 'stage' ? this.#sources.stage : undefined;
      case 'env':
        return this.#sources.variables[path];
      case 'param':
        return at(this.#root, `params.default.${path}`);
      case 'ssm':
      case 'cf':
        return this.#sources.external(kind, path);
      default:
        throw this.#invalid(place, `\${${address}} is a kind of variable that is not read here`);
    }
  }

  /** Follows a path through the service; what stands on the way may itself be a variable. */
  #self(path: string, place: string, depth: number): unknown {
    let here: unknown = this.#root;
    for (const key of path.split('.')) {
      if (typeof here !== 'object' || here === null) return undefined;
      here = (here as Tree)[key];
      if (typeof here === 'string') here = this.resolve(here, place, depth + 1);
    }
    return this.resolve(here, place, depth + 1);
  }

  #file(path: string): unknown {
    const full = resolve(this.#sources.folder, path.replace('${sls:stage}', this.#sources.stage));
    if (!this.#files.has(full)) this.#files.set(full, readYaml(full));
    return this.#files.get(full);
  }

  #invalid(place: string, message: string): EpsilonError {
    return new EpsilonError('SERVICE_INVALID', `serverless.yml, ${place}: ${message}.`, {
      details: { place },
    });
  }
}
