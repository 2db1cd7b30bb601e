import { describe, expect, it } from 'vitest';
import { toldFailures } from '../../../lib/operations/backup/told-failures.ts';
import { openBackups } from './backup-bench.ts';

describe('events of failed replication', () => {
  it('F38: begin a repair, and are told again until one has begun', async () => {
    const backups = openBackups();
    const { cloud, clock } = backups;
    cloud.repair = { state: 'done', objects: 1, failed: 0 };
    cloud.told = [{ key: 'acme/a', because: 'DstKmsKeyInvalidState' }];
    await backups.hour();
    expect(cloud.repairs).toHaveLength(1);
    expect(cloud.told).toEqual([]);
    // The next repair is hours away: what fails meanwhile is not forgotten.
    cloud.told = [{ key: 'acme/b', because: 'why' }];
    await clock.advance(3_600_000);
    await backups.hour();
    expect(cloud.told).toHaveLength(1);
    const [point] = await backups.ports.recoveryRecords.newest('point', 1);
    expect(point?.objects.told).toEqual(['acme/b: why']);
    expect(point?.stores.objects.faults).toEqual([]);
    await clock.advance(6 * 3_600_000);
    await backups.hour();
    expect(cloud.repairs).toHaveLength(2);
    expect(cloud.told).toEqual([]);
  });

  it('are named up to twenty, each once; the rest is counted', async () => {
    const { cloud, ports } = openBackups();
    const failures = Array.from({ length: 22 }, (_, index) => ({ key: `acme/${index}`, because: 'why' }));
    cloud.told = [...failures, ...failures];
    const { named, failed } = await toldFailures(ports);
    expect(named).toHaveLength(21);
    expect([named[0], named.at(-1)]).toEqual(['acme/0: why', '2 more']);
    expect(failed).toHaveLength(44);
  });

  it('F38: that cannot be read stop nothing else', async () => {
    const backups = openBackups();
    backups.cloud.told = undefined;
    await backups.hour();
    const [point] = await backups.ports.recoveryRecords.newest('point', 1);
    expect(point?.stores.objects.faults).toEqual([]);
    expect(point?.newest).toBeDefined();
    expect(backups.cloud.repairs).toEqual([]);
  });
});
