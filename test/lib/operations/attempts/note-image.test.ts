import { describe, expect, it } from 'vitest';
import { noteImage } from '../../../../lib/operations/attempts/note-image.ts';
import type { ImageRecords } from '../../../../lib/ports/image-records.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { anAttempt } from '../../../fixtures/records.ts';
import { silentLog } from '../../../fixtures/silent-log.ts';
import { openRecords } from '../../../races/memory-stores.ts';

const image = `data-pipeline@sha256:${'a'.repeat(64)}`;
const now = Date.parse('2026-11-24T02:30:00Z');

function open(over: Partial<ImageRecords> = {}) {
  const counted: string[] = [];
  const logged: string[] = [];
  const imageRecords: ImageRecords = { ...openRecords().imageRecords, ...over };
  const ports = {
    imageRecords,
    clock: new VirtualClock(now),
    log: { ...silentLog, error: (message: string) => logged.push(message) },
    metrics: { count: (name: string) => counted.push(name), duration: () => {} },
  };
  return { ports, counted, logged, records: () => imageRecords.list() };
}

const failed = (tenantId: string, minute = 5) =>
  anAttempt({
    tenantId,
    image,
    status: 'failed',
    error: 'JobCannotStart',
    cause: 'ImagePullBackOff: manifest unknown',
    submittedAt: `2026-11-24T02:${String(minute).padStart(2, '0')}:00.000Z`,
  });
const {
  error: _,
  cause: __,
  ...succeeded
} = { ...failed('fine'), status: 'succeeded' as const, exitCode: 0 };

describe('the end of a job, for its image,', () => {
  it('F59: marks it once, however many tenants fail side by side', async () => {
    const { ports, counted, records } = open();
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((tenant) => noteImage(ports, failed(tenant))));
    expect(await records()).toMatchObject([{ image, badSince: expect.any(String), failures: [{}, {}, {}] }]);
    expect(counted).toEqual(['ImagesMarkedBad']);
  });

  it('takes the mark back when a job was started by it, also one that then failed or was taken away', async () => {
    const startedAt = '2026-11-24T02:10:00.000Z';
    for (const over of [
      { ...succeeded, finishedAt: startedAt },
      { ...succeeded, status: 'preempted' as const, exitCode: 143, startedAt },
      { ...succeeded, status: 'failed' as const, error: 'JobFailed', exitCode: 1, startedAt },
    ]) {
      const { ports, records } = open();
      for (const tenant of ['a', 'b', 'c']) await noteImage(ports, failed(tenant));
      await noteImage(ports, over);
      expect(await records()).toEqual([{ image, version: 4, provenAt: startedAt, failures: [] }]);
    }
  });

  it('is nothing when the job never had an instance, or its attempt is of an earlier release', async () => {
    const { ports, records } = open();
    const { exitCode: ___, ...unplaced } = {
      ...succeeded,
      status: 'preempted' as const,
      error: 'JobPreempted',
    };
    await noteImage(ports, unplaced);
    const { image: ____, ...old } = failed('a');
    await noteImage(ports, old);
    expect(await records()).toEqual([]);
  });

  it('costs one call a minute while everything starts', async () => {
    let reads = 0;
    const { imageRecords } = openRecords();
    const find: ImageRecords['find'] = (images) => {
      reads += 1;
      return imageRecords.find(images);
    };
    const { ports } = open({ ...imageRecords, find });
    for (let second = 0; second < 60; second += 1)
      await noteImage(ports, { ...succeeded, startedAt: new Date(now + second * 1_000).toISOString() });
    expect(reads).toBe(1);
  });

  it('never keeps the stage from being answered', async () => {
    const { ports, logged } = open({
      find: async () => {
        throw new Error('no table');
      },
    });
    await noteImage(ports, failed('a'));
    expect(logged).toEqual(['image not judged']);
  });
});
