import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { handler } from '../../../functions/scaling/note-capacity-failure.ts';
import { testPorts } from '../../fixtures/ports.ts';

const sample = (name: string) => JSON.parse(readFileSync(`events/samples/${name}.json`, 'utf8'));

function opened() {
  const counted: string[] = [];
  const ports = testPorts({ metrics: { count: (name) => void counted.push(name), duration: () => {} } });
  return { note: (event: unknown) => handler.withPorts(ports)(event as never, {} as never), counted };
}

describe('noteCapacityFailure', () => {
  it.each([
    ['auto-scaling-launch-unsuccessful', 'LaunchesFailed', 'epsilon-local-training-spot'],
    ['auto-scaling-terminate-unsuccessful', 'TerminationsFailed', 'epsilon-local-training-spot'],
    [
      'batch-job-queue-blocked',
      'QueuesBlocked',
      'arn:aws:batch:us-west-2:123456789012:job-queue/epsilon-local-batch-spot',
    ],
  ])('%s is counted as %s', async (name, metric, where) => {
    const { note, counted } = opened();
    expect(await note(sample(name))).toEqual({ what: sample(name)['detail-type'], where });
    expect(counted).toContain(metric);
  });

  it('failure without a reason is counted, too', async () => {
    const { note, counted } = opened();
    const event = sample('auto-scaling-launch-unsuccessful');
    const { StatusMessage: _, ...detail } = event.detail;
    await note({ ...event, detail });
    expect(counted).toContain('LaunchesFailed');
  });

  it('other events are refused', async () => {
    const { note, counted } = opened();
    const event = { ...sample('batch-job-queue-blocked'), 'detail-type': 'Batch Job State Change' };
    await expect(note(event)).rejects.toThrow();
    expect(counted).not.toContain('QueuesBlocked');
  });
});
