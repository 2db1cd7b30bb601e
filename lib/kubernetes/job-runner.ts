import type { V1Job, V1Node, V1Pod } from '@kubernetes/client-node';
import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import type { JobObservation, JobRef, JobRunner, JobSpec } from '../ports/job-runner.ts';
import type { AttemptKey } from '../ports/run-store.ts';
import type { Place } from '../training/run.ts';
import type { KubernetesClient } from './client.ts';
import { statusOf } from './errors.ts';
import { jobFactsOf } from './job-facts.ts';
import { jobAnnotations, jobLabels, jobNamespace, manager, ourJobs, podJobLabel } from './job-labels.ts';
import { type JobDeployment, jobManifest } from './job-manifest.ts';
import { observeJob } from './observe-job.ts';

/** Names in one selector: a hundred of 63 characters fit any proxy's limit of a request line. */
const namesInOneCall = 100;

/** What the runner is made of. */
export interface KubernetesJobRunnerOptions {
  readonly client: KubernetesClient;
  readonly deployment: JobDeployment;
}

/** A job and the pods that are known of it. */
interface Found {
  readonly job: V1Job;
  readonly pods: readonly V1Pod[];
}

/** Type and zone of a node, as its cloud's controller labels it. */
function placeOf({ metadata }: V1Node): Place | undefined {
  const instanceType = metadata?.labels?.['node.kubernetes.io/instance-type'];
  const zone = metadata?.labels?.['topology.kubernetes.io/zone'];
  return instanceType && zone ? { instanceType, zone } : undefined;
}

const isOver = (job: V1Job) =>
  job.status?.conditions?.some(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  ) === true;

/** Pods show more than their job only while it waits, and once it is over. */
const needsPods = (job: V1Job) => isOver(job) || (job.status?.ready ?? 0) === 0;

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

/** Jobs of Kubernetes: one `batch/v1` Job per attempt, under the attempt's name. */
export class KubernetesJobRunner implements JobRunner {
  readonly backend = 'eks';
  readonly namesAreIds = true;
  readonly #options: KubernetesJobRunnerOptions;
  readonly #client: KubernetesClient;

  constructor(options: KubernetesJobRunnerOptions) {
    this.#options = options;
    this.#client = options.client;
  }

  async submit(spec: JobSpec): Promise<JobRef> {
    const body = jobManifest(spec, this.#options.deployment);
    try {
      const made = await this.#client.call({ verb: 'create', resource: 'jobs.batch' }, ({ batch }) =>
        batch.createNamespacedJob({ namespace: jobNamespace, body, fieldValidation: 'Strict' }),
      );
      return { jobName: spec.jobName, jobId: made.metadata?.uid ?? '' };
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
    }
    return this.#adopt(spec.jobName);
  }

  podOf(spec: JobSpec): Readonly<Record<string, unknown>> {
    return { ...jobManifest(spec, this.#options.deployment).spec?.template };
  }

  async find(jobName: string): Promise<JobObservation | undefined> {
    const job = await this.#get(jobName);
    if (!job) return undefined;
    const pods = needsPods(job) ? await this.#pods(`${podJobLabel}=${jobName}`) : [];
    return observeJob(job, pods);
  }

  async observe(jobs: readonly JobRef[]): Promise<ReadonlyMap<string, JobObservation>> {
    const names = [...new Set(jobs.map(({ jobName }) => jobName))];
    const found = (await Promise.all(chunks(names, namesInOneCall).map((some) => this.#list(some)))).flat();
    return new Map(found.map(({ job, pods }) => [job.metadata?.name ?? '', observeJob(job, pods)]));
  }

  async cancel({ jobName }: JobRef, reason: string): Promise<void> {
    for (;;) {
      const job = await this.#get(jobName);
      if (!job || isOver(job) || job.metadata?.annotations?.[jobAnnotations.stopReason] !== undefined) return;
      if (await this.#stop(job, reason)) return;
    }
  }

  async placesOf(jobs: readonly JobObservation[]): Promise<ReadonlyMap<string, Place>> {
    const names = jobs.map(({ jobName }) => jobName);
    const selectors = chunks(names, namesInOneCall).map((some) => `${podJobLabel} in (${some.join(',')})`);
    const pods = (await Promise.all(selectors.map((selector) => this.#pods(selector)))).flat();
    if (pods.length === 0) return new Map();
    const places = new Map((await this.#nodes()).map((node) => [node.metadata?.name, placeOf(node)]));
    return new Map(
      pods.flatMap(({ metadata, spec }) => {
        const place = places.get(spec?.nodeName);
        const jobName = metadata?.labels?.[podJobLabel];
        return place && jobName !== undefined ? [[jobName, place] as const] : [];
      }),
    );
  }

  async runningOn(instanceId: string): Promise<readonly AttemptKey[]> {
    const node = (await this.#nodes()).find(({ spec }) => spec?.providerID?.endsWith(`/${instanceId}`));
    if (!node?.metadata?.name) return [];
    const pods = await this.#pods(ourJobs, `spec.nodeName=${node.metadata.name}`);
    return pods
      .filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
      .flatMap(({ metadata }) => {
        const facts = metadata ? jobFactsOf(metadata) : undefined;
        return facts ? [{ runId: facts.runId, stage: facts.stage, attempt: facts.attempt }] : [];
      });
  }

  /** The name is taken: by an earlier submission of this attempt, whose job is then the attempt's. */
  async #adopt(jobName: string): Promise<JobRef> {
    const there = await this.#get(jobName);
    if (there?.metadata?.labels?.[jobLabels.managedBy] === manager)
      return { jobName, jobId: there.metadata.uid ?? '' };
    throw new EpsilonError(
      'JOB_NAME_TAKEN',
      `A Job ${jobName} that Epsilon did not create ${there ? 'is' : 'was'} in namespace ${jobNamespace}.`,
      { exitCode: exitCodes.conflict, retryable: there === undefined },
    );
  }

  async #get(jobName: string): Promise<V1Job | undefined> {
    try {
      return await this.#client.call({ verb: 'get', resource: 'jobs.batch' }, ({ batch }) =>
        batch.readNamespacedJob({ namespace: jobNamespace, name: jobName }),
      );
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async #list(names: readonly string[]): Promise<Found[]> {
    const { items } = await this.#client.call({ verb: 'list', resource: 'jobs.batch' }, ({ batch }) =>
      batch.listNamespacedJob({
        namespace: jobNamespace,
        labelSelector: `${ourJobs},${jobLabels.job} in (${names.join(',')})`,
      }),
    );
    const asked = items.filter(needsPods).map(({ metadata }) => metadata?.name ?? '');
    const pods = asked.length === 0 ? [] : await this.#pods(`${podJobLabel} in (${asked.join(',')})`);
    const byJob = Map.groupBy(pods, ({ metadata }) => metadata?.labels?.[podJobLabel]);
    return items.map((job) => ({ job, pods: byJob.get(job.metadata?.name) ?? [] }));
  }

  async #nodes(): Promise<V1Node[]> {
    const { items } = await this.#client.call({ verb: 'list', resource: 'nodes' }, ({ core }) =>
      core.listNode({ labelSelector: nodesOfJobs, resourceVersion: '0' }),
    );
    return items;
  }

  async #pods(labelSelector: string, fieldSelector?: string): Promise<V1Pod[]> {
    const { items } = await this.#client.call({ verb: 'list', resource: 'pods' }, ({ core }) =>
      core.listNamespacedPod({
        namespace: jobNamespace,
        labelSelector,
        ...(fieldSelector === undefined ? {} : { fieldSelector }),
      }),
    );
    return items;
  }

  /**
   * Stops a job and says why, in one write: its deadline becomes now, so that Kubernetes ends its pods (SIGTERM, grace,
   * SIGKILL) and then calls it failed, while the Job itself stays to be looked up. A delete would take the reason with it,
   * and a later caller could not distinguish a cancelled job from a lost one. False: it changed meanwhile, read it again.
   */
  async #stop(job: V1Job, reason: string): Promise<boolean> {
    const { name = '', resourceVersion } = job.metadata ?? {};
    const body = {
      metadata: { resourceVersion, annotations: { [jobAnnotations.stopReason]: reason } },
      spec: { activeDeadlineSeconds: 0 },
    };
    try {
      await this.#client.call({ verb: 'patch', resource: 'jobs.batch' }, ({ batch, mergePatch }) =>
        batch.patchNamespacedJob({ namespace: jobNamespace, name, body }, mergePatch),
      );
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return true;
      if (statusOf(error) === 409) return false;
      throw error;
    }
  }
}

/** Nodes that jobs may run on; the others need not be read. */
const nodesOfJobs = 'workload in (training,ml)';
