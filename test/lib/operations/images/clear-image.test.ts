import { describe, expect, it } from 'vitest';
import { clearImage } from '../../../../lib/operations/images/clear-image.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { openRecords } from '../../../races/memory-stores.ts';

const now = Date.parse('2026-11-24T03:00:00Z');
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const host = '123456789012.dkr.ecr.us-west-2.amazonaws.com/epsilon-dev';

async function records() {
  const { imageRecords } = openRecords();
  for (const image of [
    `${host}/deployer@${digest('a')}`,
    `${host}/ml-engine@${digest('a')}`,
    `${host}/deployer@${digest('b')}`,
  ])
    await imageRecords.put({ image, version: 0, failures: [], badSince: '2026-11-24T02:00:00.000Z' }, 0);
  return { imageRecords, clock: new VirtualClock(now) };
}

describe('clearImage', () => {
  it.each([
    `${host}/deployer@${digest('b')}`,
    digest('b'),
    'bbbbbbb',
    `deployer@${digest('b').slice(0, 19)}`,
  ])('F59: takes its mark back when it is named %s', async (image) => {
    const ports = await records();
    const record = await clearImage(ports, { image });
    expect(record).toEqual({
      image: `${host}/deployer@${digest('b')}`,
      version: 2,
      failures: [],
      provenAt: new Date(now).toISOString(),
    });
    const bad = (await ports.imageRecords.list()).filter(({ badSince }) => badSince !== undefined);
    expect(bad).toHaveLength(2);
  });

  it('is refused for an image that is not on record, and for a name of several', async () => {
    const ports = await records();
    const clear = (image: string) => clearImage(ports, { image });
    await expect(clear('ccccccc')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await expect(clear('deployer')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await expect(clear('aaaaaa')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await expect(clear('aaaaaaa')).rejects.toMatchObject({ code: 'IMAGE_AMBIGUOUS' });
    await expect(clear('loyer@aaaaaaa')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await clear('deployer@aaaaaaa');
  });
});
