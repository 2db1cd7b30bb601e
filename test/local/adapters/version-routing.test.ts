import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileVersionRouting } from '../../../local/adapters/version-routing.ts';
import { machineArn } from '../../../local/asl/model/names.ts';
import { versionRoutingContract } from '../../contract/version-routing.ts';
import { freshDir } from '../../fresh-dir.ts';

versionRoutingContract('a file', async () => {
  const routing = fileVersionRouting(join(freshDir(), 'versions.json'));
  await routing.route('tenant-model-training', `${machineArn('tenant-model-training')}:9`);
  await routing.split('tenant-model-training');
  return routing;
});

it('versions file that is none is refused, not taken for nothing', async () => {
  const file = join(freshDir(), 'versions.json');
  writeFileSync(file, '{"autoscaling":"one"}');
  await expect(fileVersionRouting(file).current('autoscaling')).rejects.toThrow();
});
