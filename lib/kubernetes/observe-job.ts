import type { V1ContainerStateTerminated, V1Job, V1JobCondition, V1Pod } from '@kubernetes/client-node';
import type { JobObservation } from '../training/attempts/job.ts';
import { stopReasonOf } from '../training/attempts/stop-reason.ts';
import type { JobReason } from '../training/job-reason.ts';
import type { Capacity } from '../training/run.ts';
import { jobAnnotations, jobLabels } from './job-labels.ts';
import {
  endOf,
  hasStarted,
  neverBegan,
  startedAt,
  unstartable,
  waitingFor,
  wasUnseen,
  wordsOf,
} from './pod-facts.ts';

/** The job contract: checkpointed and left after SIGTERM, 128 + 15. */
const terminated = 143;

/** Killed, 128 + 9: what a job that ignores SIGTERM ends with. */
const killed = 137;

type Ending = Pick<JobObservation, 'reason' | 'exitCode' | 'message'>;

/** Only the two final conditions count: while `FailureTarget` or `SuccessCriteriaMet` stands alone, a pod may still run. */
function conditionOf(job: V1Job, type: 'Complete' | 'Failed'): V1JobCondition | undefined {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
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

/** Of several pods of one job (Kubernetes may start one twice) the one that shows how the job ended, else the newest. */
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
  const exitCode = /failed with exit code (\d+)/.exec(failed.message ?? '')?.[1];
  return exitCode === undefined ? undefined : Number(exitCode);
}

function describeExit(
  pod: V1Pod | undefined,
  ended: V1ContainerStateTerminated | undefined,
  { job, exitCode }: { readonly job: V1Job; readonly exitCode: number },
): string {
  const words = wordsOf(pod);
  if (pod?.status?.reason === 'Evicted' && words) return words;
  if (ended?.reason !== 'OOMKilled') return `The job exited with ${exitCode}.`;
  const limit = job.spec?.template.spec?.containers[0]?.resources?.limits?.['memory'];
  return `The job was killed for using more memory than it asked for (${limit ?? 'its limit'}).`;
}

/** Without an exit code the job never said anything: evicted for what it used itself, or gone with its machine. */
function silentEnding(pod: V1Pod | undefined, failed: V1JobCondition): Ending {
  const message = wordsOf(pod) ?? (failed.message || failed.reason || 'The pod is gone.');
  return { reason: pod?.status?.reason === 'Evicted' ? 'error' : 'lost', message };
}

/** The time limit holds from the submission: a job that was never started did not take long, nothing took it. */
function lateEnding(job: V1Job, pod: V1Pod | undefined): Ending {
  const limit = `${job.spec?.activeDeadlineSeconds ?? 0} seconds`;
  if (pod === undefined || hasStarted(pod))
    return { reason: 'timeout', message: `The job took longer than ${limit}.` };
  const why = waitingFor(pod);
  const cannot = unstartable(pod) !== undefined;
  return {
    reason: cannot ? 'unstartable' : 'unplaceable',
    message: `The job was not started within ${limit}${why ? ` (${why})` : ''}.`,
  };
}

/** What a container's end says of the job; nothing when nobody saw it. */
function ownEnding(
  job: V1Job,
  pod: V1Pod | undefined,
  { ended, exitCode }: { readonly ended: V1ContainerStateTerminated | undefined; readonly exitCode: number },
): Ending {
  if (ended && wasUnseen(ended) && pod?.status?.reason !== 'Evicted')
    return { reason: 'lost', message: `The node lost sight of the job (${ended.reason}).` };
  if (ended && neverBegan(ended))
    return {
      exitCode,
      reason: 'unstartable',
      message: `The job could not be started: ${ended.message ?? ended.reason}`,
    };
  const reason: JobReason = exitCode === terminated ? 'preempted' : 'error';
  return { exitCode, reason, message: describeExit(pod, ended, { job, exitCode }) };
}

function failureOf(job: V1Job, pod: V1Pod | undefined, failed: V1JobCondition): Ending {
  const ended = endOf(pod);
  const exitCode = exitCodeOf(ended, failed);
  const code = exitCode === undefined ? {} : { exitCode };
  const stopped = job.metadata?.annotations?.[jobAnnotations.stopReason];
  const byDeadline = failed.reason === 'DeadlineExceeded';
  const disruption = disruptionOf(pod, failed);
  // Only an exit of the job's own says that it was over before it was stopped; a node may go, or be gone, while it is being stopped.
  const ownExit = exitCode !== undefined && exitCode !== terminated && exitCode !== killed;
  if (stopped !== undefined && (byDeadline || disruption !== undefined || !ownExit))
    return { ...code, reason: stopReasonOf(stopped), message: stopped };
  if (byDeadline) return { ...code, ...lateEnding(job, pod) };
  if (disruption !== undefined) return { ...code, reason: 'preempted', message: disruption };
  if (exitCode === undefined) return silentEnding(pod, failed);
  return ownEnding(job, pod, { ended, exitCode });
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
      startedAt: iso(startedAt(pod)),
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
  // Without pods the job says itself whether one is ready.
  const runs = pod === undefined ? (job.status?.ready ?? 0) > 0 : hasStarted(pod);
  if (runs) return { ...common, state: 'running' };
  const waits = { message: waitingFor(pod), unstartable: unstartable(pod) };
  return { ...common, state: 'pending', ...defined(waits) };
}
