import { describe, expect, it } from 'vitest';
import { failing, machineOf, payload, walk } from './machine-test.ts';

const input = { scheduledTime: '2026-11-24T02:00:00Z' };
const decision = {
  outcome: 'decided',
  apply: false,
  action: 'keep',
  minReplicas: 3,
  because: 'nothing to plan for',
};

describe('autoscaling', () => {
  it('decision is the output of the machine', async () => {
    const way = await walk(machineOf('autoscaling'), input, { DecideCapacity: [payload(decision)] });
    expect(way).toMatchObject({
      status: 'SUCCEEDED',
      path: ['DecideCapacity', 'IsItSet', 'Decided'],
      output: decision,
    });
  });

  it('decision that is to be set is set', async () => {
    const way = await walk(machineOf('autoscaling'), input, {
      DecideCapacity: [payload({ ...decision, apply: true })],
      ApplyCapacity: [payload({ applied: true })],
    });
    expect(way).toMatchObject({
      path: ['DecideCapacity', 'IsItSet', 'ApplyCapacity'],
      output: { applied: true },
    });
  });

  it('throttled call is made again, within the ten minutes', async () => {
    const way = await walk(machineOf('autoscaling'), input, {
      DecideCapacity: failing(3, 'Throttled', payload(decision)),
    });
    expect(way).toMatchObject({ status: 'SUCCEEDED', calls: { DecideCapacity: 4 } });
    expect(way.seconds).toBeLessThan(540);
  });

  it('fault of ours fails the execution where it occurred', async () => {
    const way = await walk(machineOf('autoscaling'), input, { DecideCapacity: [{ throws: 'INTERNAL' }] });
    expect(way).toMatchObject({ status: 'FAILED', error: 'INTERNAL' });
  });
});
