import type { Alerts } from './alert.ts';
import { awsAlerts } from './aws.ts';
import { controlPlaneAlerts, hostAlerts } from './control-plane.ts';
import { servingAlerts } from './serving.ts';
import { watcherAlerts } from './watcher.ts';

/** Every alert of Epsilon, by what it is of. Each has a section in docs/operate.md, under its name. */
export const catalogue = {
  'control plane': controlPlaneAlerts,
  host: hostAlerts,
  watcher: watcherAlerts,
  serving: servingAlerts,
  aws: awsAlerts,
} as const satisfies Readonly<Record<string, Alerts>>;
