import { type InfrastructureConfig, infrastructureSchema } from '../../../lib/config/infrastructure.ts';
import { loadInfrastructure } from '../../../lib/config/load-infrastructure.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { readFiles } from '../settings.ts';

/** A file of an environment with what people have to fill in filled in. */
export function filledIn(file: unknown) {
  const { cluster, budget, ...rest } = infrastructureSchema.parse(file);
  return {
    ...rest,
    cluster: { ...cluster, publicAccessCidrs: ['52.94.76.0/24'] },
    budget: { ...budget, alertEmail: 'platform@epsilon.dev' },
    github: { repository: 'embeddings/saas' },
  };
}

/**
 * Checked settings of an environment whether or not people have filled in their addresses, e-mail and repository yet: what these
 * are changes no size and no cost. Errors: those of `readSettings`, but for `PLACEHOLDER_LEFT`.
 */
export function settingsOf(environment: string): InfrastructureConfig {
  const { file, service } = readFiles(environment);
  try {
    return loadInfrastructure(file, service);
  } catch (error) {
    if (!(error instanceof EpsilonError) || error.code !== 'PLACEHOLDER_LEFT') throw error;
    return loadInfrastructure(filledIn(file), service);
  }
}
