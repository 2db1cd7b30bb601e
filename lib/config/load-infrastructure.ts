import type { z } from 'zod';
import { EpsilonError } from '../errors/epsilon-error.ts';
import { didYouMean } from './did-you-mean.ts';
import { type InfrastructureConfig, infrastructureSchema, type ServiceFacts } from './infrastructure.ts';
import { assertConsistent } from './infrastructure-rules.ts';

function keysOf(schema: unknown, prefix = ''): string[] {
  const shape = (schema as { shape?: Record<string, unknown> }).shape;
  if (!shape) return [];
  return Object.entries(shape).flatMap(([key, inner]) => [
    `${prefix}${key}`,
    ...keysOf(inner, `${prefix}${key}.`),
  ]);
}

function unknownKey(key: string): EpsilonError {
  const hint = didYouMean(key, keysOf(infrastructureSchema));
  return new EpsilonError(
    'CONFIG_UNKNOWN_KEY',
    `Unknown setting "${key}".${hint ? ` Did you mean ${hint}?` : ''}`,
    {
      details: { key, ...(hint ? { didYouMean: hint } : {}) },
    },
  );
}

function explain(error: z.ZodError): EpsilonError {
  // A misspelt key also leaves its setting missing: name the typo, not the consequence.
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0];
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') return unknownKey([...path, issue.keys[0] ?? ''].join('.'));
  const key = path.join('.');
  return new EpsilonError(
    'CONFIG_INVALID',
    `Setting "${key}": ${issue?.message ?? 'not a table of settings'}.`,
    {
      details: { key },
    },
  );
}

/**
 * Checked infrastructure settings. Errors, each naming key and bound, before any resource exists: `CONFIG_UNKNOWN_KEY`,
 * `CONFIG_INVALID`, `CAPACITY_RANGE`, `RETENTION_RANGE`, `DR_REGION_SAME`, `ENDPOINT_OPEN`, `VERSION_UNSUPPORTED`,
 * `PLACEHOLDER_LEFT`.
 */
export function loadInfrastructure(file: unknown, service: ServiceFacts): InfrastructureConfig {
  const parsed = infrastructureSchema.safeParse(file);
  if (!parsed.success) throw explain(parsed.error);
  const config: InfrastructureConfig = {
    ...parsed.data,
    region: service.region,
    dataBucket: service.dataBucket,
    maxConcurrency: service.training.maxConcurrency,
    capacity: service.capacity,
  };
  if (service.environment !== config.environment) {
    throw new EpsilonError(
      'CONFIG_INVALID',
      `Setting "environment" is ${config.environment}, the service's is ${service.environment}: both must name the same environment.`,
      { details: { key: 'environment' } },
    );
  }
  assertConsistent(config);
  return Object.freeze(config);
}
