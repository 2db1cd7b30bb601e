import type { V1Job, V1NodeAffinity, V1PodSpec, V1Toleration } from '@kubernetes/client-node';
import { EpsilonError } from '../errors/epsilon-error.ts';
import type { JobSpec } from '../training/attempts/job.ts';
import { sessionTagsOf } from '../training/attempts/job-name.ts';
import type { Capacity } from '../training/run.ts';
import {
  jobAnnotations,
  jobContainer,
  jobLabels,
  jobNamespace,
  jobServiceAccount,
  manager,
  nodeLabels,
  priorityClasses,
} from './job-labels.ts';

/** What a job needs to know of the deployment that it runs in. */
export interface JobDeployment {
  readonly region: string;
  /** Role that the job takes as its tenant. */
  readonly jobRoleArn: string;
}

/**
 * Seconds a finished job can still be looked up, three hours. Watcher and reconciler read its end within a minute, and then
 * the attempt's record holds result and reason and keeps a second job from being made. What is kept longer only fills the
 * namespace: at most `count/jobs.batch` objects exist (infra/k8s/jobs/resource-quota.yaml).
 */
export const keptSeconds = 10_800;

/** Seconds from SIGTERM to SIGKILL: fits the two minutes of a spot notice, and a stopped run's jobs end in one. */
const graceSeconds = 50;

/** The user of the reference images; any but root would do. */
const unprivilegedUser = 65_532;

/** Disk of a job: its scratch space and what it logs; three jobs share a node's 100 GiB. */
const disk = '10Gi';

/** Kind of node that jobs run on, spot and on-demand alike; label and taint of infra/pulumi/training-nodes.ts. */
const workload = 'training';

/** Exit codes that say "the input is wrong" (docs/job-contract.md): 64 to 78 except 75. */
const rejections = Array.from({ length: 15 }, (_, index) => 64 + index).filter((code) => code !== 75);

function affinityOf(capacity: Capacity): V1NodeAffinity {
  return {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        {
          matchExpressions: [
            { key: nodeLabels.workload, operator: 'In', values: [workload] },
            { key: nodeLabels.capacity, operator: 'In', values: [capacity] },
          ],
        },
      ],
    },
  };
}

const tolerations: readonly V1Toleration[] = [
  { key: nodeLabels.workload, operator: 'Equal', value: workload, effect: 'NoSchedule' },
];

/** `4`, or `500m` for a part of a CPU. */
export function cpuOf(cpu: number): string {
  return Number.isInteger(cpu) ? String(cpu) : `${Math.round(cpu * 1000)}m`;
}

function environmentOf(spec: JobSpec, deployment: JobDeployment): { name: string; value: string }[] {
  const variables = {
    ...spec.environment,
    EPSILON_RESULT_PATH: '/dev/termination-log',
    EPSILON_JOB_ROLE_ARN: deployment.jobRoleArn,
    EPSILON_SESSION_TAGS: JSON.stringify(sessionTagsOf(spec)),
    AWS_REGION: deployment.region,
  };
  return Object.entries(variables).map(([name, value]) => ({ name, value }));
}

function podOf(spec: JobSpec, deployment: JobDeployment): V1PodSpec {
  const amount = {
    cpu: cpuOf(spec.resources.cpu),
    memory: `${spec.resources.memoryMiB}Mi`,
    'ephemeral-storage': disk,
  };
  return {
    restartPolicy: 'Never',
    serviceAccountName: jobServiceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: graceSeconds,
    priorityClassName: priorityClasses.find(({ from }) => spec.priority >= from)?.name ?? 'training-low',
    affinity: { nodeAffinity: affinityOf(spec.capacity) },
    tolerations: [...tolerations],
    securityContext: {
      runAsNonRoot: true,
      runAsUser: unprivilegedUser,
      runAsGroup: unprivilegedUser,
      fsGroup: unprivilegedUser,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: jobContainer,
        image: spec.image,
        imagePullPolicy: 'IfNotPresent',
        args: [...spec.arguments],
        env: environmentOf(spec, deployment),
        // Equal amounts: the pod is of the class that is evicted last, and a node holds what it promised.
        resources: { requests: amount, limits: amount },
        securityContext: {
          privileged: false,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      },
    ],
    volumes: [{ name: 'tmp', emptyDir: { sizeLimit: disk } }],
  };
}

/** Labels: a tenant id that no label may carry (it may end in "-") is in the annotation alone. */
function labelsOf(spec: JobSpec): Record<string, string> {
  return {
    [jobLabels.managedBy]: manager,
    [jobLabels.job]: spec.jobName,
    ...(spec.tenantId.endsWith('-') ? {} : { [jobLabels.tenant]: spec.tenantId }),
    [jobLabels.stage]: spec.stage,
    [jobLabels.attempt]: String(spec.attempt),
    [jobLabels.capacity]: spec.capacity,
  };
}

/**
 * The Job of one attempt. One pod, never repeated by Kubernetes: whose fault a failure was decides about the next attempt,
 * and the state machine decides that. Error: `IMAGE_NOT_PINNED`.
 */
export function jobManifest(spec: JobSpec, deployment: JobDeployment): V1Job {
  if (!/@sha256:[0-9a-f]{64}$/.test(spec.image)) {
    throw new EpsilonError(
      'IMAGE_NOT_PINNED',
      `Image "${spec.image}" of ${spec.jobName} is not given by its digest (name@sha256:...).`,
      { details: { image: spec.image } },
    );
  }
  const labels = labelsOf(spec);
  const annotations = {
    [jobAnnotations.tenantId]: spec.tenantId,
    [jobAnnotations.runId]: spec.runId,
    [jobAnnotations.logicalDate]: spec.logicalDate,
    [jobAnnotations.traceId]: spec.traceId,
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: spec.jobName, namespace: jobNamespace, labels, annotations },
    spec: {
      completions: 1,
      parallelism: 1,
      backoffLimit: 0,
      activeDeadlineSeconds: spec.timeoutSeconds,
      ttlSecondsAfterFinished: keptSeconds,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: {
        rules: [
          // First: a lost machine must not look like the job's own fault, whatever code the container ended with.
          { action: 'FailJob', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          {
            action: 'FailJob',
            onExitCodes: { containerName: jobContainer, operator: 'In', values: rejections },
          },
        ],
      },
      template: {
        metadata: {
          labels,
          // An hour of training is not moved so that a node can be saved.
          annotations: { ...annotations, 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' },
        },
        spec: podOf(spec, deployment),
      },
    },
  };
}
