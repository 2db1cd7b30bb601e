import { describe, expect, it } from 'vitest';
import type { RecoveryRecords } from '../../lib/ports/backup/recovery-records.ts';

const drill = (id: string, passed: boolean) =>
  ({ kind: 'drill', id, passed, point: id, finishedAt: id, faults: [] }) as const;
const waiter = (taskToken: string) => ({
  resource: 'r/snapshot/s',
  taskToken,
  deadline: '2026-11-24T08:00:00Z',
});

/** Every sentence of the port's documentation. */
export function recoveryRecordsContract(
  name: string,
  make: () => RecoveryRecords | Promise<RecoveryRecords>,
): void {
  describe(`recovery records: ${name}`, () => {
    it('records are listed newest first, by kind, and replaced by their id', async () => {
      const records = await make();
      for (const day of ['24', '26', '25']) await records.put(drill(`2026-11-${day}T00:00:00Z`, false));
      await records.put(drill('2026-11-25T00:00:00Z', true));
      await records.put({ kind: 'replicated', id: 'acme', modelVersion: 'v1', at: '2026-11-24T00:00:00Z' });
      const found = await records.newest('drill', 2);
      expect(found.map(({ id, passed }) => [id.slice(8, 10), passed])).toEqual([
        ['26', false],
        ['25', true],
      ]);
      expect(await records.get('replicated', 'acme')).toMatchObject({ modelVersion: 'v1' });
      expect(await records.get('replicated', 'beta')).toBeUndefined();
    });

    it('heartbeat that comes late changes nothing', async () => {
      const records = await make();
      expect(await records.heartbeat()).toBeUndefined();
      await records.beat({ n: 8, at: '2026-11-24T02:08:00.000Z' });
      await records.beat({ n: 9, at: '2026-11-24T02:09:00.000Z' });
      await records.beat({ n: 8, at: '2026-11-24T02:09:30.000Z' });
      expect(await records.heartbeat()).toEqual({ n: 9, at: '2026-11-24T02:09:00.000Z' });
    });

    it('who waits last is who is found, with the token', async () => {
      const records = await make();
      expect(await records.waiter('r/snapshot/s')).toBeUndefined();
      await records.wait(waiter('first'));
      await records.wait(waiter('second'));
      expect(await records.waiter('r/snapshot/s')).toEqual(waiter('second'));
    });

    it('wait is ended by who waits, and not by who waited before', async () => {
      const records = await make();
      await records.wait(waiter('first'));
      await records.wait(waiter('second'));
      await records.endWait(waiter('first'));
      expect(await records.waiter('r/snapshot/s')).toEqual(waiter('second'));
      await records.endWait(waiter('second'));
      expect(await records.waiter('r/snapshot/s')).toBeUndefined();
    });
  });
}
