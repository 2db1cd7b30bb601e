import type { V1ContainerStateTerminated, V1Job, V1JobCondition, V1Pod } from '@kubernetes/client-node';
import type { JobObservation } from '../training/attempts/job.ts';
import type { JobReason } from '../training/attempts/job-reason.ts';
import { stopReasonOf } from '../training/attempts/stop-reason.ts';
import type { Capacity } from '../training/run.ts';
import { jobAnnotations, jobContainer, jobLabels } from './job-labels.ts';

/** The job contract: checkpointed and left after SIGTERM, 128 + 15. */
const terminated = 143;

/** Killed, 128 + 9: what a job that ignores SIGTERM ends with. */
const killed = 137;

type Ending = Pick<JobObservation, 'reason' | 'exitCode' | 'message'>;

/** Only the two final conditions count: while `FailureTarget` or `SuccessCriteriaMet` stands alone, a pod may still run. */
function conditionOf(job: V1Job, type: 'Complete' | 'Failed'): V1JobCondition | undefined {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

function endOf(pod: V1Pod | undefined): V1ContainerStateTerminated | undefined {
  return pod?.status?.containerStatuses?.find(({ name }) => name === jobContainer)?.state?.terminated;
}

/** True once the job's process was started on a node. */
function hasStarted(job: V1Job, pod: V1Pod | undefined): boolean {
  if (pod === undefined) return (job.status?.ready ?? 0) > 0;
  const state = pod.status?.containerStatuses?.find(({ name }) => name === jobContainer)?.state;
  return state?.running !== undefined || state?.terminated !== undefined;
}

/** The job's own result: what it wrote to its termination log, if that is a JSON object. */
function resultOf(ended: V1ContainerStateTerminated | undefined): JobObservation['result'] {
  try {
    const value: unknown = JSON.parse(ended?.message ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Of several pods of one job (Kubernetes may start one twice) the one that tells how the job ended, else the newest. */
function decidingPod(pods: readonly V1Pod[]): V1Pod | undefined {
  const age = (pod: V1Pod) => pod.metadata?.creationTimestamp?.getTime() ?? 0;
  const newestFirst = [...pods].sort((a, b) => age(b) - age(a));
  return newestFirst.find((pod) => endOf(pod)?.exitCode === 0) ?? newestFirst[0];
}

function disruptionOf(pod: V1Pod | undefined, failed: V1JobCondition): string | undefined {
  const condition = pod?.status?.conditions?.find(
    ({ type, status }) => type === 'DisruptionTarget' && status === 'True',
  );
  if (condition) return [condition.reason, condition.message].filter(Boolean).join(': ');
  // The pod may be gone with its node; the controller has kept the reason in its own words.
  return failed.message?.includes('has condition DisruptionTarget') ? failed.message : undefined;
}

function exitCodeOf(
  ended: V1ContainerStateTerminated | undefined,
  failed: V1JobCondition,
): number | undefined {
  if (ended) return ended.exitCode;
  const told = /failed with exit code (\d+)/.exec(failed.message ?? '')?.[1];
  return told === undefined ? undefined : Number(told);
}

function describeExit(ended: V1ContainerStateTerminated | undefined, exitCode: number, job: V1Job): string {
  if (ended?.reason !== 'OOMKilled') return `The job exited with ${exitCode}.`;
  const limit = job.spec?.template.spec?.containers[0]?.resources?.limits?.['memory'];
  return `The job was killed for using more memory than it asked for (${limit ?? 'its limit'}).`;
}

/** Without an exit code the job never said anything: evicted for what it used itself, or gone with its machine. */
function silentEnding(pod: V1Pod | undefined, failed: V1JobCondition): Ending {
  const said = [pod?.status?.reason, pod?.status?.message].filter(Boolean).join(': ');
  const message = said || failed.message || failed.reason || 'The pod is gone.';
  return { reason: pod?.status?.reason === 'Evicted' ? 'error' : 'lost', message };
}

function failureOf(job: V1Job, pod: V1Pod | undefined, failed: V1JobCondition): Ending {
  const ended = endOf(pod);
  const exitCode = exitCodeOf(ended, failed);
  const code = exitCode === undefined ? {} : { exitCode };
  const stopped = job.metadata?.annotations?.[jobAnnotations.stopReason];
  const byDeadline = failed.reason === 'DeadlineExceeded';
  if (stopped !== undefined && (byDeadline || exitCode === terminated || exitCode === killed))
    return { ...code, reason: stopReasonOf(stopped), message: stopped };
  if (byDeadline)
    return {
      ...code,
      reason: 'timeout',
      message: `The job took longer than ${job.spec?.activeDeadlineSeconds ?? 0} seconds.`,
    };
  const disruption = disruptionOf(pod, failed);
  if (disruption !== undefined) return { ...code, reason: 'preempted', message: disruption };
  if (exitCode === undefined) return silentEnding(pod, failed);
  const reason: JobReason = exitCode === terminated ? 'preempted' : 'error';
  return { exitCode, reason, message: describeExit(ended, exitCode, job) };
}

/** Why a job that is not running yet waits, in Kubernetes' own words. */
function waitingFor(pod: V1Pod | undefined): string | undefined {
  const scheduled = pod?.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return scheduled.message ?? scheduled.reason;
  const waiting = pod?.status?.containerStatuses?.[0]?.state?.waiting;
  return waiting ? [waiting.reason, waiting.message].filter(Boolean).join(': ') : undefined;
}

function capacityOf(job: V1Job): Capacity | undefined {
  const capacity = job.metadata?.labels?.[jobLabels.capacity];
  return capacity === 'spot' || capacity === 'on-demand' ? capacity : undefined;
}

const iso = (date: Date | undefined) => date?.toISOString();

/** An object without its undefined fields. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/**
 * What a Job and its pod say of an attempt. A job is over when its final condition says so: until then its pod may still
 * be alive, and a second one must not be started. The cause is read from our own stop reason, the pod's condition, the exit
 * code and the termination log, in this order.
 */
export function observeJob(job: V1Job, pods: readonly V1Pod[]): JobObservation {
  const pod = decidingPod(pods);
  const ended = endOf(pod);
  const common = {
    jobName: job.metadata?.name ?? '',
    jobId: job.metadata?.uid ?? '',
    ...defined({
      capacity: capacityOf(job),
      submittedAt: iso(job.metadata?.creationTimestamp),
      startedAt: iso(
        ended?.startedAt ??
          pod?.status?.containerStatuses?.find(({ name }) => name === jobContainer)?.state?.running
            ?.startedAt,
      ),
      result: resultOf(ended),
    }),
  };
  const failed = conditionOf(job, 'Failed');
  if (failed) {
    const finishedAt = iso(failed.lastTransitionTime);
    return { ...common, state: 'failed', ...failureOf(job, pod, failed), ...defined({ finishedAt }) };
  }
  const complete = conditionOf(job, 'Complete');
  if (complete) {
    const finishedAt = iso(job.status?.completionTime ?? complete.lastTransitionTime);
    return { ...common, state: 'succeeded', reason: 'completed', exitCode: 0, ...defined({ finishedAt }) };
  }
  if (hasStarted(job, pod)) return { ...common, state: 'running' };
  return { ...common, state: 'pending', ...defined({ message: waitingFor(pod) }) };
}
