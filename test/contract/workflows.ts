import { describe, expect, it } from 'vitest';
import type { Workflows } from '../../lib/ports/workflows.ts';

/** A set of machines: `passes` hands its input on, `fails` ends with error Own, `waits` waits for long. */
export interface WorkflowHarness {
  readonly workflows: Workflows;
  /** Waits for the end of an execution. */
  ended(arn: string): Promise<void>;
}

/** What every Workflows must do. */
export function describeWorkflows(name: string, make: () => Promise<WorkflowHarness>): void {
  describe(`Workflows: ${name}`, () => {
    it('executions are started, described and listed, newest first', async () => {
      const { workflows, ended } = await make();
      expect(await workflows.machines()).toEqual(expect.arrayContaining(['passes', 'fails', 'waits']));
      const first = await workflows.start({ machine: 'passes', name: 'one', input: { a: 1 } });
      await ended(first.executionArn);
      const second = await workflows.start({ machine: 'fails', input: {} });
      await ended(second.executionArn);
      expect(await workflows.describe(first.executionArn)).toMatchObject({
        machine: 'passes',
        name: 'one',
        status: 'SUCCEEDED',
        input: { a: 1 },
        output: { a: 1 },
        redriveCount: 0,
      });
      expect(await workflows.describe(second.executionArn)).toMatchObject({
        status: 'FAILED',
        error: 'Own',
        redriveStatus: 'REDRIVABLE',
      });
      expect((await workflows.list({ machine: 'passes' })).map((one) => one.name)).toEqual(['one']);
      expect((await workflows.list({ machine: 'fails', status: 'FAILED', limit: 1 })).length).toBe(1);
    });

    it('a history is in order', async () => {
      const { workflows, ended } = await make();
      const { executionArn } = await workflows.start({ machine: 'passes', input: {} });
      await ended(executionArn);
      const events = await Array.fromAsync(workflows.history(executionArn));
      expect(events.map((event) => event.id)).toEqual(events.map((_, index) => index + 1));
      expect(events[0]?.type).toBe('ExecutionStarted');
      expect(events.at(-1)?.type).toBe('ExecutionSucceeded');
    });

    it('a running execution is stopped and a failed one redriven', async () => {
      const { workflows, ended } = await make();
      const { executionArn } = await workflows.start({ machine: 'waits', input: {} });
      await workflows.stop(executionArn, { error: 'Stopped', cause: 'by hand' });
      expect(await workflows.describe(executionArn)).toMatchObject({
        status: 'ABORTED',
        error: 'Stopped',
        cause: 'by hand',
      });
      const failed = await workflows.start({ machine: 'fails', input: {} });
      await ended(failed.executionArn);
      await workflows.redrive(failed.executionArn);
      await ended(failed.executionArn);
      expect(await workflows.describe(failed.executionArn)).toMatchObject({
        status: 'FAILED',
        redriveCount: 1,
      });
    });

    it('errors have codes: unknown machine, unknown execution, used name, bad name, redrive of a success', async () => {
      const { workflows, ended } = await make();
      await expect(workflows.start({ machine: 'nothing', input: {} })).rejects.toMatchObject({
        code: 'MACHINE_NOT_FOUND',
      });
      await expect(workflows.start({ machine: 'passes', name: 'a b', input: {} })).rejects.toMatchObject({
        code: 'RUN_NAME_INVALID',
      });
      const { executionArn } = await workflows.start({ machine: 'passes', name: 'used', input: {} });
      await ended(executionArn);
      await expect(
        workflows.start({ machine: 'passes', name: 'used', input: { other: 1 } }),
      ).rejects.toMatchObject({ code: 'EXECUTION_ALREADY_EXISTS' });
      await expect(workflows.redrive(executionArn)).rejects.toMatchObject({ code: 'REDRIVE_NOT_ALLOWED' });
      await expect(workflows.describe(`${executionArn}-not-there`)).rejects.toMatchObject({
        code: 'EXECUTION_NOT_FOUND',
      });
    });
  });
}
