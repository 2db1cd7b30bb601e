import { describe, expect, it } from 'vitest';
import type { Retirement } from '../../lib/ports/backup/retirement.ts';
import type { ModelRegistry } from '../../lib/ports/model-registry.ts';
import type { RunStore } from '../../lib/ports/run-store.ts';
import { aModel, anAttempt, aRun } from '../fixtures/records.ts';

interface Stores {
  readonly retirement: Retirement;
  readonly models: ModelRegistry;
  readonly runs: RunStore;
}

const at = '2026-11-24T10:00:00.000Z';
const prefix = 'bucket-a/acme/runs/r1/';

/** Every sentence of the port's documentation. */
export function retirementContract(name: string, make: () => Stores | Promise<Stores>): void {
  describe(`retirement: ${name}`, () => {
    it('model is forgotten together with what it named, unless another pair went live meanwhile', async () => {
      const { retirement, models } = await make();
      for (const modelVersion of ['M1', 'M2']) await models.register(aModel({ modelVersion }));
      const decidedOn = { live: await models.live('acme'), prefix, at };
      await models.promote({ tenantId: 'acme', modelVersion: 'M1', fence: 1, at, reason: 'run' });
      expect(await retirement.forgetModel({ tenantId: 'acme', modelVersion: 'M1' }, decidedOn)).toBe(false);
      expect(await models.get('acme', 'M1')).toBeDefined();
      expect(await retirement.retired('9')).toEqual([]);
      const live = await models.live('acme');
      expect(
        await retirement.forgetModel({ tenantId: 'acme', modelVersion: 'M2' }, { ...decidedOn, live }),
      ).toBe(true);
      expect(await models.get('acme', 'M2')).toBeUndefined();
      expect(await retirement.retired('9')).toEqual([{ prefix, tenantId: 'acme', at, goneHere: false }]);
    });

    it('model that was forgotten cannot go live any more', async () => {
      const { retirement, models } = await make();
      await models.register(aModel({ modelVersion: 'M1' }));
      await retirement.forgetModel({ tenantId: 'acme', modelVersion: 'M1' }, { live: undefined, prefix, at });
      await expect(
        models.promote({ tenantId: 'acme', modelVersion: 'M1', fence: 1, at, reason: 'rollback' }),
      ).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    });

    it('run goes with its attempts and from every list, one that runs again stays', async () => {
      const { retirement, runs } = await make();
      const run = aRun({ runId: 'r1', status: 'succeeded', nightArn: 'night' });
      await runs.createRun(run);
      await runs.createAttempt(anAttempt({ runId: 'r1', status: 'succeeded', settledAt: at }));
      const again = aRun({ runId: 'r2', status: 'running' });
      await runs.createRun(again);
      expect(await retirement.forgetRun(again, { prefix, at })).toBe(false);
      expect(await retirement.forgetRun(run, { prefix, at })).toBe(true);
      expect(await runs.listRuns({ tenantId: run.tenantId })).toMatchObject([{ runId: 'r2' }]);
      expect(await runs.listRuns({ nightArn: 'night' })).toEqual([]);
      expect(await runs.getRun('r1')).toBeUndefined();
      expect(await runs.listAttempts('r1')).toEqual([]);
      expect(await runs.getRun('r2')).toBeDefined();
    });

    it('what was retired is listed from its time on, notes what is gone, and ends', async () => {
      const { retirement, models } = await make();
      await models.register(aModel({ modelVersion: 'M1' }));
      await retirement.forgetModel({ tenantId: 'acme', modelVersion: 'M1' }, { live: undefined, prefix, at });
      expect(await retirement.retired(at)).toEqual([]);
      const [one] = await retirement.retired('2026-11-24T10:00:00.001Z');
      if (!one) throw new Error('nothing was retired');
      await retirement.noteGone(one);
      expect(await retirement.retired('9')).toEqual([{ ...one, goneHere: true }]);
      await retirement.end(one);
      await retirement.end(one);
      await retirement.noteGone(one);
      expect(await retirement.retired('9')).toEqual([]);
    });
  });
}
