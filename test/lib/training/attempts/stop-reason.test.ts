import { describe, expect, it } from 'vitest';
import {
  preemptionReason,
  stopReasonOf,
  unplaceableReason,
  unstartableReason,
} from '../../../../lib/training/attempts/stop-reason.ts';

describe('the reason a job is stopped for', () => {
  it.each([
    [preemptionReason('i-1 goes'), 'preempted'],
    [unplaceableReason('no capacity'), 'unplaceable'],
    [unstartableReason('no image'), 'unstartable'],
    ['execution ABORTED', 'cancelled'],
    ['it was preempted: no', 'cancelled'],
    ['', 'cancelled'],
  ])('%j counts as %s', (text, counted) => {
    expect(stopReasonOf(text)).toBe(counted);
  });
});
