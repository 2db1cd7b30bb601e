/** Why a finished job finished. */
export type JobReason =
  | 'completed'
  | 'error'
  | 'preempted'
  | 'lost'
  | 'cancelled'
  | 'timeout'
  | 'unplaceable'
  | 'unstartable';
