import { hpaReplicaFloor } from '../../kubernetes/replica-floor.ts';
import { createTransport } from '../../kubernetes/transport.ts';
import type { ReplicaFloor } from '../../ports/serving/replica-floor.ts';
import { eksClusterAccess } from '../eks/eks-cluster.ts';
import type { AwsBase } from './base.ts';

/** Where there is no cluster or no decision there is no autoscaler, either. */
const nowhere: ReplicaFloor = { current: async () => undefined, set: async () => {} };

/** The least replicas, in the cluster's HorizontalPodAutoscaler. */
export const wireReplicaFloor = (base: AwsBase) => {
  const { config, deployment, clock, random } = base;
  const { scaling } = config;
  if (deployment.eksClusterName === undefined || scaling.mode === 'off') return { replicaFloor: nowhere };
  const access = eksClusterAccess(base, deployment.eksClusterName);
  return {
    replicaFloor: hpaReplicaFloor(createTransport({ access, clock, random }), scaling.autoscaler),
  };
};
