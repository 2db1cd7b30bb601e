import { checkRecovery } from '../backup/cloud/settings.ts';
import { checkSchema, type SchemaFault } from '../errors/check-schema.ts';
import { EpsilonError } from '../errors/epsilon-error.ts';
import { checkScaling } from '../scaling/configuration.ts';
import { checkAirflow } from './airflow.ts';
import { didYouMean } from './did-you-mean.ts';
import { type ServiceConfig, serviceConfigSchema } from './service-config.ts';
import { checkWorkloads } from './workloads.ts';

/** Variables that share the prefix but are not settings: the job contract's and the command line's own. */
const otherVariables: ReadonlySet<string> = new Set([
  'EPSILON_COMMAND',
  'EPSILON_CONFINE',
  'EPSILON_AIRFLOW_PASSWORD',
  'EPSILON_CREDENTIALS_URL',
  'EPSILON_CREDENTIALS_TENANT',
  'EPSILON_JOB_ROLE_ARN',
  'EPSILON_SESSION_TAGS',
  'EPSILON_CONTRACT',
  'EPSILON_RUN_ID',
  'EPSILON_TRAINING_STAGE',
  'EPSILON_ATTEMPT',
  'EPSILON_INPUTS',
  'EPSILON_INPUTS_FILE',
  'EPSILON_CPUS',
  'EPSILON_PROGRESS_PATH',
  'EPSILON_OUTPUT',
  'EPSILON_FENCE',
  'EPSILON_SEED',
  'EPSILON_RESULT_PATH',
  'EPSILON_TRACEPARENT',
  'EPSILON_OBJECTS_ROOT',
  'EPSILON_OPTIONS',
  'EPSILON_LAUNCHER_PID',
  'EPSILON_STATE_DIR',
  'EPSILON_TARGET',
  'EPSILON_RESOURCES',
]);

/** Sections that exist on this host only, in the file of `local`; each has a reader of its own (local/declaration/local-service.ts). */
const hostSections: ReadonlySet<string> = new Set(['notify', 'backup', 'retention']);

/** What of a file are settings of the service. */
function serviceSettings(file: Record<string, unknown>): Record<string, unknown> {
  if (file['environment'] !== 'local') return file;
  return Object.fromEntries(Object.entries(file).filter(([key]) => !hostSections.has(key)));
}

/** Resources of a deployment have a reader of their own (deployment.ts). */
const deploymentPrefix = 'EPSILON_AWS_';

/** Setting path to environment variable: `training.maxConcurrency` is `EPSILON_TRAINING_MAX_CONCURRENCY`. */
export function variableOf(path: readonly string[]): string {
  return `EPSILON_${path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join('_')}`;
}

/** Every setting's path, from the schema. */
export function settingPaths(): string[][] {
  return Object.entries(serviceConfigSchema.shape).flatMap(([key, field]) => {
    const inner = 'shape' in field ? Object.keys(field.shape as object) : undefined;
    return inner ? inner.map((name) => [key, name]) : [[key]];
  });
}

function coerce(text: string): unknown {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** Sections whose keys differ from deployment to deployment. */
const tables: ReadonlySet<string> = new Set([
  'workloads',
  'scaling',
  'airflow',
  'recovery',
  'tracing',
  'billing',
]);

const isTable = ([section = '']: readonly string[]) => tables.has(section);

/** A setting that is a table stands in its variable as JSON. */
function tableOf(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new EpsilonError('CONFIG_INVALID', `Environment variable ${name} is not JSON.`, {
      details: { key: name },
    });
  }
}

/** Whether a variable with the prefix is read by somebody else than the settings. */
export const isNoSetting = (name: string): boolean =>
  name.startsWith(deploymentPrefix) || otherVariables.has(name);

function fromVariables(variables: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const known = new Map(settingPaths().map((path) => [variableOf(path), path]));
  const settings: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (!name.startsWith('EPSILON_') || value === undefined || isNoSetting(name)) continue;
    const path = known.get(name);
    if (!path) throw unknownKey(`environment variable ${name}`, name, [...known.keys()]);
    assign(settings, path, isTable(path) ? tableOf(name, value) : coerce(value));
  }
  return settings;
}

function assign(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first, second] = path;
  if (first === undefined) return;
  if (second === undefined) target[first] = value;
  else target[first] = { ...((target[first] as object | undefined) ?? {}), [second]: value };
}

function merge(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    result[key] = isRecord(before) && isRecord(value) ? merge(before, value) : value;
  }
  return result;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownKey(what: string, key: string, candidates: readonly string[]): EpsilonError {
  const hint = didYouMean(key, candidates);
  return new EpsilonError('CONFIG_UNKNOWN_KEY', `Unknown ${what}.${hint ? ` Did you mean ${hint}?` : ''}`, {
    details: { key, ...(hint ? { didYouMean: hint } : {}) },
  });
}

function explain({ path, sentence, unknownKey: unknown }: SchemaFault): EpsilonError {
  if (unknown !== undefined) {
    const key = [...path, unknown].join('.');
    return unknownKey(`setting "${key}"`, key, [
      ...Object.keys(serviceConfigSchema.shape),
      ...settingPaths().map((known) => known.join('.')),
    ]);
  }
  return new EpsilonError(
    'CONFIG_INVALID',
    `Setting "${path.join('.')}" (or ${variableOf(isTable(path) ? path.slice(0, 1) : path)}): ${sentence}.`,
    { details: { key: path.join('.') } },
  );
}

/**
 * Settings from, in rising precedence, a file's content, environment variables and flags.
 * Errors: `CONFIG_UNKNOWN_KEY` with the nearest known key, `CONFIG_INVALID` naming key and variable, those of `checkRecovery`.
 */
export function loadConfig(sources: {
  readonly file?: unknown;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly flags?: Record<string, unknown>;
}): ServiceConfig {
  const file = sources.file ?? {};
  if (!isRecord(file))
    throw new EpsilonError('CONFIG_PARSE', 'The configuration file is not a table of settings.');
  const merged = merge(merge(serviceSettings(file), fromVariables(sources.variables)), sources.flags ?? {});
  const parsed = checkSchema(
    serviceConfigSchema.superRefine(checkWorkloads).superRefine(checkAirflow).superRefine(checkScaling),
    merged,
  );
  if (parsed.success) {
    checkRecovery(parsed.data.region, parsed.data.recovery);
    return Object.freeze(parsed.data);
  }
  throw explain(parsed.fault);
}
