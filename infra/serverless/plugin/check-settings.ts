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
    // Before the settings are read: those of this host have sections that nothing deployed knows.
    if (environment === 'local')
      throw new EpsilonError(
        'CONFIG_INVALID',
        'The local environment runs with "epsilon start"; it is not deployed.',
        { details: { key: 'environment' } },
      );
    const config = loadConfig({ file, variables: {} });
    if (config.environment === environment) return config;
    throw new EpsilonError(
      'CONFIG_INVALID',
      `Setting "environment" is ${config.environment}, --stage is ${environment}: both must name the same environment.`,
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
