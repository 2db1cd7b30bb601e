import { loadConfig } from '../../../lib/config/load-config.ts';
import type { ServiceConfig } from '../../../lib/config/service-config.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';

/**
 * Settings of one environment as `package` needs them, from the content of `infra/config/<environment>.yml`. Errors:
 * `CONFIG_INVALID` and `CONFIG_UNKNOWN_KEY`, each naming file and key, before anything is built.
 */
export function checkSettings(environment: string, file: unknown): ServiceConfig {
  const where = `infra/config/${environment}.yml`;
  try {
    const config = loadConfig({ file, variables: {} });
    if (config.environment === environment && environment !== 'local') return config;
    throw new EpsilonError(
      'CONFIG_INVALID',
      environment === 'local'
        ? 'The local environment runs with "epsilon start"; it is not deployed.'
        : `Setting "environment" is ${config.environment}, --stage is ${environment}: both must name the same environment.`,
      { details: { key: 'environment' } },
    );
  } catch (error) {
    if (!(error instanceof EpsilonError)) throw error;
    throw new EpsilonError(error.code, `${where}: ${error.message}`, {
      details: { ...error.details, file: where },
      cause: error,
    });
  }
}
