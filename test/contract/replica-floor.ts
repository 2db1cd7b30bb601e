import { describe, expect, it } from 'vitest';
import type { ReplicaFloor } from '../../lib/ports/serving/replica-floor.ts';

const raised = {
  minReplicas: 11,
  raisedAt: '2026-11-24T08:50:00.000Z',
  expiresAt: '2026-11-24T09:20:00.000Z',
  because: 'the HPA alone was short in 0.50 % of the minutes',
};

/** Every sentence of the port's documentation, for an adapter whose autoscaler has 3 replicas at least. */
export function replicaFloorContract(name: string, make: () => ReplicaFloor): void {
  describe(`replica floor: ${name}`, () => {
    it('floor that nobody of us set is the number alone', async () => {
      expect(await make().current()).toEqual({ minReplicas: 3 });
    });

    it('floor is what was set, with its end and its reason', async () => {
      const floor = make();
      await floor.set(raised);
      expect(await floor.current()).toEqual(raised);
    });

    it('floor that is set again is replaced as a whole', async () => {
      const floor = make();
      await floor.set(raised);
      await floor.set({ minReplicas: 3, because: 'it ended' });
      expect(await floor.current()).toEqual({ minReplicas: 3, because: 'it ended' });
    });
  });
}
