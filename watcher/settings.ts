import { z } from 'zod';
import { checkSchema } from '../lib/errors/check-schema.ts';
import { EpsilonError, exitCodes } from '../lib/errors/epsilon-error.ts';

const schema = z.object({
  EPSILON_ENVIRONMENT: z.string().min(1),
  AWS_REGION: z.string().min(1),
  /** Bus that completeJob listens to. */
  EPSILON_WATCHER_EVENT_BUS: z.string().min(1),
  /** Name of this replica: the pod's. */
  EPSILON_WATCHER_NAME: z.string().min(1),
  /** Port of /healthz and /metrics. */
  EPSILON_WATCHER_PORT: z.coerce.number().int().min(1).max(65_535).default(9464),
  /** Seconds between two signs of life of a job that is not over. */
  EPSILON_WATCHER_HEARTBEAT_SECONDS: z.coerce.number().int().min(10).max(600).default(60),
});

/** Settings of a watcher. */
export interface WatcherSettings {
  readonly environment: string;
  readonly region: string;
  readonly eventBus: string;
  readonly name: string;
  readonly port: number;
  readonly heartbeatMs: number;
}

/** Reads the settings from the environment. Error: `CONFIG_INVALID` naming the variable. */
export function watcherSettings(variables: Readonly<Record<string, string | undefined>>): WatcherSettings {
  const parsed = checkSchema(schema, variables);
  if (!parsed.success) {
    const { path, sentence } = parsed.fault;
    throw new EpsilonError('CONFIG_INVALID', `${path.join('.')}: ${sentence}.`, {
      exitCode: exitCodes.badInput,
    });
  }
  const values = parsed.data;
  return {
    environment: values.EPSILON_ENVIRONMENT,
    region: values.AWS_REGION,
    eventBus: values.EPSILON_WATCHER_EVENT_BUS,
    name: values.EPSILON_WATCHER_NAME,
    port: values.EPSILON_WATCHER_PORT,
    heartbeatMs: values.EPSILON_WATCHER_HEARTBEAT_SECONDS * 1000,
  };
}
