import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileReplicaFloor } from '../../../local/adapters/replica-floor.ts';
import { replicaFloorContract } from '../../contract/replica-floor.ts';
import { freshDir } from '../../fresh-dir.ts';

replicaFloorContract('a file', () => fileReplicaFloor(join(freshDir(), 'replicas.json')));

it.each(['{"minReplicas":0}', '{"minReplicas":"many"}', 'nothing'])(
  'floor file with %s is refused, not taken for a number',
  async (text) => {
    const file = join(freshDir(), 'replicas.json');
    writeFileSync(file, text);
    await expect(fileReplicaFloor(file).current()).rejects.toThrow();
  },
);
