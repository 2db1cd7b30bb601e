import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileReplicaFloor } from '../../../local/adapters/replica-floor.ts';
import { fileSizedGroups } from '../../../local/adapters/sized-groups.ts';
import { replicaFloorContract } from '../../contract/replica-floor.ts';
import { sizedGroupsContract } from '../../contract/sized-groups.ts';
import { freshDir } from '../../fresh-dir.ts';

replicaFloorContract('a file', () => fileReplicaFloor(join(freshDir(), 'replicas.json')));

sizedGroupsContract('a file', (size) => {
  const file = join(freshDir(), 'node-groups.json');
  writeFileSync(file, JSON.stringify({ 'general-a': size }));
  return fileSizedGroups(file);
});

it('groups are none while there is no file', async () => {
  expect(await fileSizedGroups(join(freshDir(), 'none.json')).size('general-a')).toBeUndefined();
});

it.each(['{"minReplicas":0}', '{"minReplicas":"many"}', 'nothing'])(
  'floor file with %s is refused, not taken for a number',
  async (text) => {
    const file = join(freshDir(), 'replicas.json');
    writeFileSync(file, text);
    await expect(fileReplicaFloor(file).current()).rejects.toThrow();
  },
);
