import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

/**
 * What Kubernetes publishes of the kinds used here, as `npm run test:conformance:kubernetes -- --record` reads it from a
 * running API server of the cluster's version (GET /openapi/v3/...), descriptions left out and every object closed.
 */
const file = join(import.meta.dirname, 'schema/kubernetes-1.35.jsonl');

interface Line {
  readonly name: string;
  readonly kind?: string;
  readonly group?: string;
  readonly schema: object;
}

/** Patterns of custom resources are Go's: there `(?i)` holds for all that follows, here it needs a group of its own. */
function patternOfGo(key: string, value: unknown): unknown {
  if (key !== 'pattern' || typeof value !== 'string') return value;
  return value.replace(/\(\?i\)(.*)$/, '(?i:$1)');
}

let validators: Map<string, ValidateFunction> | undefined;

function load(): Map<string, ValidateFunction> {
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line, patternOfGo) as Line);
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addFormat('int-or-string', true);
  ajv.addFormat('byte', true);
  ajv.addSchema({
    $id: 'kubernetes',
    components: { schemas: Object.fromEntries(lines.map(({ name, schema }) => [name, schema])) },
  });
  return new Map(
    lines.flatMap(({ name, kind, group }) =>
      kind === undefined || group === undefined
        ? []
        : [
            [
              `${group.replace(/^apis?\//, '')}/${kind}`,
              ajv.compile({ $ref: `kubernetes#/components/schemas/${name}` }),
            ],
          ],
    ),
  );
}

/** Kinds that can be checked, as `batch/v1/Job`. */
export function knownKinds(): string[] {
  validators ??= load();
  return [...validators.keys()];
}

/** What is wrong with an object by its published schema; empty when nothing is. A kind that is not published is wrong. */
export function schemaFaults(object: unknown): string[] {
  const { apiVersion, kind } = object as { apiVersion?: string; kind?: string };
  validators ??= load();
  const validate = validators.get(`${apiVersion}/${kind}`);
  if (!validate) return [`${apiVersion}/${kind} is not among the published kinds`];
  if (validate(object)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
