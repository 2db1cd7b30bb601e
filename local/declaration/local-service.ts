import { join } from 'node:path';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { ServiceConfig } from '../../lib/config/service-config.ts';
import type { Service } from './declarations.ts';
import { readYaml } from './read-yaml.ts';
import { loadService } from './service.ts';

/** Environment of the embedded runtime; Serverless calls it a stage. */
export const localEnvironment = 'local';

/** The service as declared, for this host; values that only an account knows stay names. */
export function loadLocalService(
  projectDir: string,
  variables: Readonly<Record<string, string | undefined>>,
): { readonly service: Service; readonly config: ServiceConfig; readonly notify: unknown } {
  const read = readYaml(join(projectDir, 'infra', 'config', `${localEnvironment}.yml`));
  const service = loadService({
    folder: projectDir,
    environment: localEnvironment,
    variables,
    external: (kind, address) => `local:${kind}:${address}`,
  });
  if (read === null || typeof read !== 'object' || Array.isArray(read))
    return { service, config: loadConfig({ file: read, variables }), notify: undefined };
  // Notifications by command or webhook exist on this host only: no other environment knows the setting.
  const { notify, ...file } = read as Record<string, unknown>;
  return { service, config: loadConfig({ file, variables }), notify };
}
