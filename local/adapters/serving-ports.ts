import { join } from 'node:path';
import type { ServiceConfig } from '../../lib/config/service-config.ts';
import { configuredLoadMetrics } from '../../lib/system/load-metrics.ts';
import { fileBills } from './bills.ts';
import { fileLoadMetrics } from './load-metrics.ts';
import { fileReplicaFloor } from './replica-floor.ts';
import { fileSizedGroups } from './sized-groups.ts';

/** The ports on the service that answers users and on the bill: files of the state directory, and Prometheus where the settings name queries. */
export const servingPorts = (stateDir: string, { scaling }: Pick<ServiceConfig, 'scaling'>) => ({
  loadMetrics:
    scaling.mode !== 'off' && 'query' in scaling.metric
      ? configuredLoadMetrics(scaling, async () => [])
      : fileLoadMetrics(join(stateDir, 'load.csv')),
  bills: fileBills(join(stateDir, 'bill.json')),
  replicaFloor: fileReplicaFloor(join(stateDir, 'replicas.json')),
  queueVcpus: fileSizedGroups(join(stateDir, 'queues.json')),
  nodeGroups: fileSizedGroups(join(stateDir, 'node-groups.json')),
});
