import { expect, test } from 'vitest';
import { readSettings } from '../../../infra/pulumi/settings.ts';
import { evaluate } from './program.ts';
test('x', async () => {
  const r = await evaluate(readSettings('prod'));
  console.log(r.length, r.filter((x) => x.type.includes('nodeGroup')).map((x) => [x.name, x.ignoreChanges, x.waitsFor]));
  (await import('node:fs')).writeFileSync('/tmp/pulumi-prod.json', JSON.stringify(r, null, 1));
  expect(r.length).toBeGreaterThan(100);
});
