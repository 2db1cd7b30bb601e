import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobFactsOf } from '../../../lib/kubernetes/job-facts.ts';
import { jobManifest } from '../../../lib/kubernetes/job-manifest.ts';
import { jobNameOf } from '../../../lib/training/attempts/job-name.ts';
import { stageNames } from '../../../lib/training/stages.ts';
import { deployment, specOf } from '../../kubernetes/harness.ts';
import { knownKinds, schemaFaults } from '../../kubernetes/schema.ts';

const manifest = (over: Parameters<typeof specOf>[2] = {}) =>
  jobManifest(specOf('succeeds', 'acme-train-1', over), deployment);

describe('the Job of an attempt', () => {
  it('is one pod that Kubernetes never repeats, judged by its machine before its exit code', () => {
    expect(manifest({ timeoutSeconds: 43_200 }).spec).toMatchObject({
      completions: 1,
      parallelism: 1,
      backoffLimit: 0,
      activeDeadlineSeconds: 43_200,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: {
        rules: [
          { action: 'FailJob', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          {
            action: 'FailJob',
            onExitCodes: {
              containerName: 'job',
              operator: 'In',
              values: [64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 76, 77, 78],
            },
          },
        ],
      },
      template: { spec: { restartPolicy: 'Never' } },
    });
  });

  it('can be looked up for hours after its end, should neither watcher nor reconciler have read it at once', () => {
    expect(manifest().spec?.ttlSecondsAfterFinished).toBeGreaterThanOrEqual(10_800);
  });

  it('leaves on SIGTERM within a spot notice, and within the minute that a stopped run is given', () => {
    expect(manifest().spec?.template.spec?.terminationGracePeriodSeconds).toBeLessThan(60);
  });

  it('asks for what it may use, exactly', () => {
    const resources = (over: Parameters<typeof specOf>[2]) =>
      manifest(over).spec?.template.spec?.containers[0]?.resources;
    const { requests, limits } = resources({ resources: { cpu: 4, memoryMiB: 8192 } }) ?? {};
    expect(requests).toEqual({ cpu: '4', memory: '8192Mi', 'ephemeral-storage': '10Gi' });
    expect(limits).toEqual(requests);
    expect(resources({ resources: { cpu: 0.5, memoryMiB: 512 } })?.limits).toMatchObject({
      cpu: '500m',
      memory: '512Mi',
    });
  });

  it('meets the restricted standard of pod security', () => {
    const pod = manifest().spec?.template.spec;
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          securityContext: {
            privileged: false,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
        },
      ],
      volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '10Gi' } }],
    });
    expect(pod?.securityContext?.runAsUser).toBeGreaterThan(0);
    expect(Object.keys(pod ?? {}).filter((key) => key.startsWith('host'))).toEqual([]);
  });

  it.each([
    ['spot', ['training'], 'spot'],
    ['on-demand', ['training'], 'on-demand'],
  ] as const)(
    'on %s goes to nodes of that kind only, and tolerates their taints',
    (capacity, workloads, label) => {
      const pod = manifest({ capacity }).spec?.template.spec;
      expect(
        pod?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
      ).toEqual([
        {
          matchExpressions: [
            { key: 'workload', operator: 'In', values: workloads },
            { key: 'epsilon/capacity', operator: 'In', values: [label] },
          ],
        },
      ]);
      expect(pod?.tolerations?.map(({ value }) => value)).toEqual(workloads);
    },
  );

  it.each([
    [0, 'training-low'],
    [33, 'training-low'],
    [34, 'training-normal'],
    [66, 'training-normal'],
    [67, 'training-high'],
    [100, 'training-high'],
  ])('priority %d is class %s', (priority, name) => {
    expect(manifest({ priority }).spec?.template.spec?.priorityClassName).toBe(name);
  });

  it('T7: carries the job contract and the role it takes, and no secret', () => {
    const env = manifest().spec?.template.spec?.containers[0]?.env ?? [];
    expect(Object.fromEntries(env.map(({ name, value }) => [name, value]))).toMatchObject({
      EPSILON_RUN_ID: 'acme-2026-11-24',
      EPSILON_RESULT_PATH: '/dev/termination-log',
      EPSILON_JOB_ROLE_ARN: deployment.jobRoleArn,
      EPSILON_SESSION_TAGS: '{"TenantId":"acme"}',
      AWS_REGION: 'us-west-2',
    });
    expect(env.every(({ valueFrom }) => valueFrom === undefined)).toBe(true);
    expect(JSON.stringify(env)).not.toMatch(/secret|token|password|redis/i);
  });

  it.each(['ml-engine:latest', 'ml-engine', 'ml-engine@sha256:abc', `ml-engine@sha256:${'A'.repeat(64)}`])(
    'B13: image %s is refused: it is not given by its digest',
    (image) => {
      expect(() => manifest({ image })).toThrow(expect.objectContaining({ code: 'IMAGE_NOT_PINNED' }));
    },
  );

  it('is what the published schema of the cluster version allows, whatever the attempt', () => {
    expect(knownKinds()).toContain('batch/v1/Job');
    const specs = fc.record({
      tenantId: fc.stringMatching(/^[a-z][a-z0-9-]{1,38}$/),
      runId: fc.stringMatching(/^[a-zA-Z][\w-]{1,79}$/),
      stage: fc.constantFrom(...stageNames),
      attempt: fc.integer({ min: 1, max: 99 }),
      cpu: fc.oneof(fc.integer({ min: 1, max: 256 }), fc.constantFrom(0.1, 0.25, 0.5, 1.5)),
      memoryMiB: fc.integer({ min: 64, max: 4_194_304 }),
      capacity: fc.constantFrom('spot' as const, 'on-demand' as const),
      priority: fc.integer({ min: 0, max: 100 }),
      timeoutSeconds: fc.integer({ min: 1, max: 86_400 }),
    });
    fc.assert(
      fc.property(specs, ({ cpu, memoryMiB, ...over }) => {
        const jobName = jobNameOf(over, 'eks');
        const job = jobManifest(
          specOf('succeeds', jobName, { ...over, resources: { cpu, memoryMiB } }),
          deployment,
        );
        const label = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
        const labels = Object.values(job.metadata?.labels ?? {});
        expect(schemaFaults(JSON.parse(JSON.stringify(job)))).toEqual([]);
        expect(labels.filter((value) => !label.test(value))).toEqual([]);
        const { tenantId, runId, stage, attempt } = over;
        expect(jobFactsOf(job.metadata ?? {})).toMatchObject({ tenantId, runId, stage, attempt });
      }),
      { numRuns: 200 },
    );
  });

  it('a schema that knows a field only by chance would notice: a misspelt one is a fault', () => {
    const job = JSON.parse(JSON.stringify(manifest())) as { spec: Record<string, unknown> };
    job.spec['backofLimit'] = 0;
    expect(schemaFaults(job)).toEqual([expect.stringContaining('backofLimit')]);
    expect(schemaFaults({ ...job, kind: 'Jobb' })).toHaveLength(1);
  });
});
