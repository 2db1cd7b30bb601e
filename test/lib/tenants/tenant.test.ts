import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkTenantId, tenantSchema } from '../../../lib/tenants/tenant.ts';
import { aTenant } from '../../fixtures/records.ts';

describe('tenant ids', () => {
  it.each(['ac', 'acme', 'a1-b2', 'a'.repeat(39)])('accept %s', (id) => {
    expect(checkTenantId(id)).toBe(id);
  });

  it.each([
    '',
    'a',
    'a'.repeat(40),
    '../x',
    'Acme',
    '1acme',
    '-acme',
    'ac me',
    'аcme',
    'acme\n',
    'nights',
    null,
    7,
  ])('a tenant id such as %j is refused with the pattern', (id) => {
    expect(() => checkTenantId(id)).toThrow(
      expect.objectContaining({
        code: 'TENANT_ID_INVALID',
        exitCode: 2,
        message: expect.stringContaining('[a-z0-9-]{1,38}'),
      }),
    );
  });
});

describe('folders of the data bucket', () => {
  const folders = new Set(
    globSync('infra/serverless/roles/*.yml').flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/dataBucket\}\/([a-z][\w-]*)\//g)].map(([, folder]) => folder),
    ),
  );

  it('folder that functions keep their own files in is no tenant', () => {
    expect(folders.size).toBeGreaterThanOrEqual(5);
    for (const folder of folders)
      expect(() => checkTenantId(folder)).toThrow('reserved for a folder of Epsilon');
  });
});

describe('a look-alike', () => {
  it('a look-alike character is named by its number, because eyes cannot distinguish it', () => {
    expect(() => checkTenantId('ac\u043ce')).toThrow('Character 3 is U+043C.');
    expect(() => checkTenantId('acme\n')).toThrow('Character 5 is U+000A.');
  });
});

describe('tenant records', () => {
  it('a tenant record with unknown keys is refused', () => {
    expect(tenantSchema.safeParse({ ...aTenant(), colour: 'red' }).success).toBe(false);
  });

  it.each([
    ['s3://bucket-a/docs/', 'eks', true],
    ['file:///home/me/docs', 'local', true],
    ['file:///home/me/docs', 'batch', false],
    ['https://example.com/', 'local', false],
    ['./docs', 'local', false],
  ] as const)('documents at %s on %s: %s', (documentsUri, backend, accepted) => {
    expect(tenantSchema.safeParse(aTenant({ documentsUri, backend })).success).toBe(accepted);
  });
});
