import { describeJobRunner } from '../contract/job-runner.ts';
import { openCluster, specOf } from './harness.ts';

describeJobRunner('EKS, over the stand-in', async () => {
  const cluster = await openCluster();
  return {
    runner: cluster.runner,
    spec: (does, name) => specOf(does, name),
    ended: cluster.ended,
    starts: (jobName) => cluster.kubelet.starts.get(jobName) ?? 0,
    close: cluster.close,
  };
});
