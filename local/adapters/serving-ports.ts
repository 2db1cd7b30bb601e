import { join } from 'node:path';
import { fileLoadMetrics } from './load-metrics.ts';
import { fileReplicaFloor } from './replica-floor.ts';
import { fileSizedGroups } from './sized-groups.ts';

/** The ports on the service that answers users: files of the state directory. */
export const servingPorts = (stateDir: string) => ({
  loadMetrics: fileLoadMetrics(join(stateDir, 'load.csv')),
  replicaFloor: fileReplicaFloor(join(stateDir, 'replicas.json')),
  queueVcpus: fileSizedGroups(join(stateDir, 'queues.json')),
  nodeGroups: fileSizedGroups(join(stateDir, 'node-groups.json')),
});
