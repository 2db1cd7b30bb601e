import { describe, expect, it } from 'vitest';
import type { TaskCallbacks } from '../../lib/ports/task-callbacks.ts';

/** A task that waits for its token, and how it ended. */
export interface CallbackHarness {
  readonly callbacks: TaskCallbacks;
  /** Starts an execution whose only Task waits; gives its token. */
  token(): Promise<string>;
  /** How the execution of a token ended. */
  ended(token: string): Promise<{
    readonly status: string;
    readonly output?: unknown;
    readonly error?: string;
    readonly cause?: string;
  }>;
}

/** What every TaskCallbacks must do. */
export function describeTaskCallbacks(name: string, make: () => Promise<CallbackHarness>): void {
  describe(`TaskCallbacks: ${name}`, () => {
    it('a success is delivered with its output', async () => {
      const { callbacks, token, ended } = await make();
      const mine = await token();
      expect(await callbacks.succeed(mine, { vectors: 3 })).toBe('delivered');
      expect(await ended(mine)).toMatchObject({ status: 'SUCCEEDED', output: { vectors: 3 } });
    });

    it('a failure is delivered by its name', async () => {
      const { callbacks, token, ended } = await make();
      const mine = await token();
      expect(await callbacks.fail(mine, { error: 'JobRejected', cause: 'why' })).toBe('delivered');
      expect(await ended(mine)).toMatchObject({ status: 'FAILED', error: 'JobRejected', cause: 'why' });
    });

    it('F5, F21: a used, foreign or garbled token is reported as gone, without an error', async () => {
      const { callbacks, token } = await make();
      const mine = await token();
      expect(await callbacks.heartbeat(mine)).toBe('delivered');
      await callbacks.succeed(mine, {});
      expect(await callbacks.succeed(mine, {})).toBe('gone');
      expect(await callbacks.fail(mine, { error: 'E', cause: 'c' })).toBe('gone');
      expect(await callbacks.heartbeat(mine)).toBe('gone');
      expect(await callbacks.heartbeat('garbage')).toBe('gone');
    });
  });
}
