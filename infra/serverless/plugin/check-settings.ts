import { loadConfig } from '../../../lib/config/load-config.ts';
import type { ServiceConfig } from '../../../lib/config/service-config.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';

/**
 * Settings of one environment as `package` needs them, from the content of `infra/config/<stage>.yml`. Errors:
 * `CONFIG_INVALID` and `CONFIG_UNKNOWN_KEY`, each naming file and key, before anything is built.
 */
export function checkSettings(stage: string, file: unknown): ServiceConfig {
  const where = `infra/config/${stage}.yml`;
  try {
    const config = loadConfig({ file, variables: {} });
    if (config.environment === stage && stage !== 'local') return config;
    throw new EpsilonError(
      'CONFIG_INVALID',
      stage === 'local'
        ? 'The local environment runs with "epsilon start"; it is not deployed.'
        : `Setting "environment" is ${config.environment}, the stage is ${stage}: both must name the same environment.`,
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
