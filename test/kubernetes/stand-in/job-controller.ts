import type { Clock } from '../../../lib/ports/clock.ts';
import type { ApiObject } from './objects.ts';
import type { Store } from './store.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface JobSpec {
  readonly backoffLimit: number;
  readonly activeDeadlineSeconds?: number;
  readonly podFailurePolicy?: {
    readonly rules: readonly {
      readonly action: string;
      readonly onExitCodes?: { readonly values: readonly number[] };
      readonly onPodConditions?: readonly { readonly type: string; readonly status: string }[];
    }[];
  };
  readonly template: { readonly metadata: object; readonly spec: object };
}

interface PodStatus {
  readonly phase?: string;
  readonly conditions?: readonly Condition[];
  readonly containerStatuses?: readonly {
    readonly name: string;
    readonly state: { readonly running?: object; readonly terminated?: { readonly exitCode: number } };
  }[];
}

const statusOf = (pod: ApiObject) => (pod.status ?? {}) as PodStatus;
const isFinished = (pod: ApiObject) => ['Succeeded', 'Failed'].includes(statusOf(pod).phase ?? '');

/** The message of the first rule that fails the whole job, worded as the job controller words it. */
function policyMessage(spec: JobSpec, pods: readonly ApiObject[]): string | undefined {
  for (const pod of pods.filter((each) => statusOf(each).phase === 'Failed')) {
    const { conditions = [], containerStatuses = [] } = statusOf(pod);
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
    for (const [index, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
      const condition = rule.onPodConditions?.find(({ type, status }) =>
        conditions.some((each) => each.type === type && each.status === status),
      );
      if (condition)
        return `Pod ${name} has condition ${condition.type} matching FailJob rule at index ${index}`;
      const ended = containerStatuses.find(({ state }) =>
        rule.onExitCodes?.values.includes(state.terminated?.exitCode ?? 0),
      );
      if (ended)
        return `Container ${ended.name} for pod ${name} failed with exit code ${ended.state.terminated?.exitCode} matching FailJob rule at index ${index}`;
      if (condition || ended) break;
    }
  }
  return undefined;
}

/**
 * Does to Jobs what the job controller of 1.35 does with one pod and no retries: makes the pod, counts it, ends the job by
 * policy, back-off limit or deadline, and calls it Failed or Complete only when no pod of it is left alive.
 */
export class JobController {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #namespace: string;
  #removed = new Map<string, number>();
  #pods = 0;

  constructor(store: Store, clock: Clock, namespace: string) {
    this.#store = store;
    this.#clock = clock;
    this.#namespace = namespace;
    store.onChange((resource, { type, object }) => {
      if (resource === 'pods' && type === 'DELETED' && !isFinished(object)) {
        const job = object.metadata.labels?.['batch.kubernetes.io/job-name'] ?? '';
        this.#removed.set(job, (this.#removed.get(job) ?? 0) + 1);
      }
      if (resource === 'jobs' || resource === 'pods') setImmediate(() => this.sync());
    });
  }

  /** Brings every job to where its pods and its deadline say; safe to repeat. */
  sync(): void {
    for (const job of this.#store.list('jobs')) this.#syncOne(job);
  }

  #syncOne(job: ApiObject): void {
    const status = (job.status ?? {}) as { startTime?: string; conditions?: Condition[] };
    const conditions = status.conditions ?? [];
    if (conditions.some(({ type }) => type === 'Complete' || type === 'Failed')) return;
    const spec = job.spec as unknown as JobSpec;
    const startTime = status.startTime ?? this.#now();
    const pods = this.#podsOf(job);
    const failed =
      pods.filter((pod) => statusOf(pod).phase === 'Failed').length +
      (this.#removed.get(job.metadata.name) ?? 0);
    const succeeded = pods.filter((pod) => statusOf(pod).phase === 'Succeeded').length;
    const end =
      conditions.find(({ type }) => type === 'FailureTarget' || type === 'SuccessCriteriaMet') ??
      this.#endOf(spec, { pods, failed, succeeded, startTime });
    const alive = pods.filter((pod) => !isFinished(pod));
    if (end) for (const pod of alive) this.#deletePod(pod);
    const left = this.#podsOf(job).filter((pod) => !isFinished(pod));
    const next: Condition[] = end ? [this.#at(end)] : [];
    if (end && left.length === 0)
      next.push(this.#at({ ...end, type: end.type === 'FailureTarget' ? 'Failed' : 'Complete' }));
    if (!end && pods.length === 0 && failed === 0) this.#makePod(job, spec);
    this.#write(job, { startTime, failed, succeeded, conditions: next });
  }

  #endOf(
    spec: JobSpec,
    {
      pods,
      failed,
      succeeded,
      startTime,
    }: { pods: readonly ApiObject[]; failed: number; succeeded: number; startTime: string },
  ): Condition | undefined {
    const failure = (reason: string, message: string) => ({
      type: 'FailureTarget',
      status: 'True',
      reason,
      message,
    });
    const policy = policyMessage(spec, pods);
    if (policy !== undefined) return failure('PodFailurePolicy', policy);
    if (failed > spec.backoffLimit)
      return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
    const deadline = Date.parse(startTime) + (spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY) * 1000;
    if (this.#clock.now() >= deadline)
      return failure('DeadlineExceeded', 'Job was active longer than specified deadline');
    if (succeeded > 0)
      return {
        type: 'SuccessCriteriaMet',
        status: 'True',
        reason: 'CompletionsReached',
        message: 'Reached expected number of succeeded pods',
      };
    return undefined;
  }

  #podsOf(job: ApiObject): ApiObject[] {
    return this.#store
      .list('pods')
      .filter(({ metadata }) => metadata.labels?.['batch.kubernetes.io/job-name'] === job.metadata.name);
  }

  #makePod(job: ApiObject, { template }: JobSpec): void {
    this.#pods += 1;
    const { name, uid } = job.metadata;
    const metadata = structuredClone(template.metadata) as ApiObject['metadata'];
    const labels = {
      ...metadata.labels,
      'batch.kubernetes.io/job-name': name,
      'job-name': name,
      'batch.kubernetes.io/controller-uid': uid ?? '',
    };
    this.#store.create('pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name: `${name}-p${this.#pods}`, namespace: this.#namespace, labels },
      spec: structuredClone(template.spec) as Record<string, unknown>,
      status: { phase: 'Pending' },
    });
  }

  /** A pod without a node is gone at once; its kubelet ends the others. */
  #deletePod(pod: ApiObject): void {
    if (pod.metadata.deletionTimestamp !== undefined) return;
    if (pod.spec?.['nodeName'] === undefined) {
      this.#store.remove('pods', pod.metadata.name);
      return;
    }
    this.#store.update('pods', {
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp: this.#now(), deletionGracePeriodSeconds: 50 },
    });
  }

  #write(
    job: ApiObject,
    {
      startTime,
      failed,
      succeeded,
      conditions,
    }: { startTime: string; failed: number; succeeded: number; conditions: Condition[] },
  ): void {
    const current = this.#store.list('jobs').find(({ metadata }) => metadata.name === job.metadata.name);
    if (!current) return;
    const active = this.#podsOf(job).filter((pod) => !isFinished(pod));
    const ready = active.filter((pod) =>
      statusOf(pod).containerStatuses?.some(({ state }) => state.running),
    ).length;
    const complete = conditions.some(({ type }) => type === 'Complete');
    const status = {
      startTime,
      ...(active.length > 0 ? { active: active.length } : {}),
      ready,
      ...(failed > 0 ? { failed } : {}),
      ...(succeeded > 0 ? { succeeded } : {}),
      ...(conditions.length > 0 ? { conditions } : {}),
      ...(complete ? { completionTime: this.#now() } : {}),
    };
    const before = JSON.stringify({ ...current.status, completionTime: undefined });
    if (before === JSON.stringify({ ...status, completionTime: undefined })) return;
    this.#store.update('jobs', { ...current, status });
  }

  #at(condition: Condition): Condition & { lastProbeTime: string; lastTransitionTime: string } {
    return { lastProbeTime: this.#now(), lastTransitionTime: this.#now(), ...condition };
  }

  #now(): string {
    return `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`;
  }
}
