import type { JobReason } from '../job-reason.ts';

/** What a job that we stopped counts as. */
export type StopReason = Extract<JobReason, 'cancelled' | 'preempted' | 'unplaceable' | 'unstartable'>;

/** Reason for stopping a job because its machine is about to go: the next attempt may choose other capacity. */
export function preemptionReason(why: string): string {
  return `preempted: ${why}`;
}

/** Reason for stopping a job that its backend could not place in time. */
export function unplaceableReason(why: string): string {
  return `unplaceable: ${why}`;
}

/** Reason for stopping a job whose container cannot be started, wherever it is placed. */
export function unstartableReason(why: string): string {
  return `unstartable: ${why}`;
}

/** Reads the text back that a backend kept: everything that is not marked was a plain cancellation. */
export function stopReasonOf(text: string): StopReason {
  const mark = /^(preempted|unplaceable|unstartable): /.exec(text)?.[1];
  return mark === 'preempted' || mark === 'unplaceable' || mark === 'unstartable' ? mark : 'cancelled';
}
