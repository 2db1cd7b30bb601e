import { join } from 'node:path';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { ServiceConfig } from '../../lib/config/service-config.ts';
import type { Service } from './declarations.ts';
import { readYaml } from './read-yaml.ts';
import { loadService } from './service.ts';

/** Serverless's stage of the embedded runtime. */
export const localStage = 'local';

/** The service as declared, for this host; values that only an account knows stay names. */
export function loadLocalService(
  projectDir: string,
  variables: Readonly<Record<string, string | undefined>>,
): { readonly service: Service; readonly config: ServiceConfig } {
  const file = readYaml(join(projectDir, 'infra', 'config', `${localStage}.yml`));
  const service = loadService({
    folder: projectDir,
    stage: localStage,
    variables,
    external: (kind, address) => `local:${kind}:${address}`,
  });
  return { service, config: loadConfig({ file, variables }) };
}
