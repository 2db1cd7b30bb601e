import { join } from 'node:path';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { ServiceConfig } from '../../lib/config/service-config.ts';
import type { Service } from './declarations.ts';
import { readYaml } from './read-yaml.ts';
import { loadService } from './service.ts';

/** Environment of the embedded runtime; Serverless calls it a stage. */
export const localEnvironment = 'local';

/** The service and its settings, with those that exist on this host only. */
export interface LocalService {
  readonly service: Service;
  readonly config: ServiceConfig;
  /** How people are notified (local/notify/settings.ts). */
  readonly notify: unknown;
  /** How the state directory is backed up (lib/backup/settings.ts). */
  readonly backup: unknown;
  /** How long the control plane's own records stay (lib/backup/record-retention.ts). */
  readonly retention: unknown;
}

/** The service as declared, for this host; values that only an account knows stay names. */
export function loadLocalService(
  projectDir: string,
  variables: Readonly<Record<string, string | undefined>>,
): LocalService {
  const read = readYaml(join(projectDir, 'infra', 'config', `${localEnvironment}.yml`));
  const service = loadService({
    folder: projectDir,
    environment: localEnvironment,
    variables,
    external: (kind, address) => `local:${kind}:${address}`,
  });
  // What is no table of settings is refused here.
  const config = loadConfig({ file: read, variables });
  const { notify, backup, retention } = (read ?? {}) as Record<string, unknown>;
  return { service, config, notify, backup, retention };
}
