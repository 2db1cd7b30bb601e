import { checkSchema, type SchemaFault } from '../errors/check-schema.ts';
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

function explain({ path, sentence, unknownKey: unknown }: SchemaFault): EpsilonError {
  if (unknown !== undefined) return unknownKey([...path, unknown].join('.'));
  const key = path.join('.');
  return new EpsilonError('CONFIG_INVALID', `Setting "${key}": ${sentence}.`, { details: { key } });
}

/**
 * Checked infrastructure settings. Errors, each naming key and bound, before any resource exists: `CONFIG_UNKNOWN_KEY`,
 * `CONFIG_INVALID`, `SIZE_RANGE`, `RETENTION_RANGE`, `DR_REGION_SAME`, `ENDPOINT_OPEN`, `VERSION_UNSUPPORTED`,
 * `PLACEHOLDER_LEFT`.
 */
export function loadInfrastructure(file: unknown, service: ServiceFacts): InfrastructureConfig {
  const parsed = checkSchema(infrastructureSchema, file);
  if (!parsed.success) throw explain(parsed.fault);
  const config: InfrastructureConfig = {
    ...parsed.data,
    region: service.region,
    dataBucket: service.dataBucket,
    maxConcurrency: service.training.maxConcurrency,
    queueSize: service.queueSize,
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
