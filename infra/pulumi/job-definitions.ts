import { JobDefinition } from '@pulumi/aws/batch/jobDefinition.js';
import type { Repository } from '@pulumi/aws/ecr/repository.js';
import { all, interpolate, jsonStringify, type Output } from '@pulumi/pulumi';
import { createIdentity, trustHost } from './identity.ts';
import type { ImageName } from './registry.ts';
import type { Site } from './site.ts';

/** Image and request of each training stage in Batch; a test holds this beside the stage catalogue. */
export const batchStages = {
  prepare: { image: 'data-pipeline', cpu: 1, memoryMiB: 2048, timeoutSeconds: 14_400 },
  train: { image: 'ml-engine', cpu: 4, memoryMiB: 8192, timeoutSeconds: 43_200 },
  index: { image: 'ml-engine', cpu: 2, memoryMiB: 4096, timeoutSeconds: 14_400 },
  deploy: { image: 'deployer', cpu: 0.5, memoryMiB: 512, timeoutSeconds: 7_200 },
  cache: { image: 'ml-engine', cpu: 0.5, memoryMiB: 512, timeoutSeconds: 7_200 },
} as const;

/**
 * Creates a definition per stage whose image has a digest; the value is stage to ARN. An attempt is one Batch attempt:
 * retries belong to the state machine, which knows whose fault a failure was. `jobRoleArn` is what a job starts with: it can
 * only become the tenant role (job-roles.ts).
 */
export function createJobDefinitions(
  site: Site,
  images: Record<ImageName, Repository>,
  jobRoleArn: Output<string>,
): Output<Record<string, string>> {
  const starter = createIdentity(site, 'batch-execution', {
    trust: [trustHost('ecs-tasks.amazonaws.com')],
    managed: ['service-role/AmazonECSTaskExecutionRolePolicy'],
  });
  const definitions = Object.entries(batchStages).flatMap(([stage, plan]) => {
    const digest = site.config.imageDigests[plan.image];
    if (!digest) return [];
    // EC2 hosts take whole vCPUs only.
    const vcpus = String(Math.max(1, Math.ceil(plan.cpu)));
    const definition = new JobDefinition(
      site.name(`stage-${stage}`),
      {
        name: site.name(`stage-${stage}`),
        type: 'container',
        platformCapabilities: ['EC2'],
        propagateTags: true,
        retryStrategy: { attempts: 1 },
        timeout: { attemptDurationSeconds: plan.timeoutSeconds },
        containerProperties: jsonStringify({
          image: interpolate`${images[plan.image].repositoryUrl}@${digest}`,
          resourceRequirements: [
            { type: 'VCPU', value: vcpus },
            { type: 'MEMORY', value: String(plan.memoryMiB) },
          ],
          executionRoleArn: starter.arn,
          jobRoleArn,
          privileged: false,
          readonlyRootFilesystem: true,
          user: '10001',
          linuxParameters: { initProcessEnabled: true, tmpfs: [{ containerPath: '/tmp', size: 512 }] },
        }),
      },
      { ...site.here, dependsOn: [...starter.ready] },
    );
    return [{ stage, arn: definition.arn }];
  });
  return all(definitions).apply((made) => Object.fromEntries(made.map(({ stage, arn }) => [stage, arn])));
}
