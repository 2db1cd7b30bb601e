import { readFiles } from '../../../infra/pulumi/settings.ts';
import { type InfrastructureConfig, infrastructureSchema } from '../../../lib/config/infrastructure.ts';
import { loadInfrastructure } from '../../../lib/config/load-infrastructure.ts';

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

/** Checked settings of an environment: the committed files, filled in. */
export function settingsOf(environment: string): InfrastructureConfig {
  const { file, service } = readFiles(environment);
  return loadInfrastructure(filledIn(file), service);
}
