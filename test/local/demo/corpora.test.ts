import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileObjectStore } from '../../../lib/files/file-object-store.ts';
import { profileTenant } from '../../../lib/files/profile-tenant.ts';
import { checkCompleteness } from '../../../lib/quality/completeness.ts';
import { defaultRules } from '../../../lib/quality/rules.ts';
import { demoFamilies, familyFiles, gatherFamily } from '../../../local/demo/corpora.ts';
import { aTenant } from '../../fixtures/records.ts';
import { freshDir } from '../asl/harness.ts';

const nodeModules = resolve('node_modules');

describe('the demo tenants', () => {
  it('the demo has at least four tenants, of clearly different size, each with enough documents for a model', () => {
    expect(demoFamilies.length).toBeGreaterThanOrEqual(4);
    const caps = demoFamilies.map(({ maxTokens }) => maxTokens);
    expect(new Set(caps).size).toBe(caps.length);
    expect(Math.max(...caps)).toBeGreaterThan(2 * Math.min(...caps));
    for (const family of demoFamilies)
      expect(familyFiles(nodeModules, family).length, family.tenantId).toBeGreaterThanOrEqual(10);
  });

  it('the demo tenants share no document', () => {
    const files = demoFamilies.flatMap((family) => familyFiles(nodeModules, family));
    expect(new Set(files).size).toBe(files.length);
  });

  it('one demo tenant has an export that broke, and its documents do not pass the quality checks', async () => {
    const [broken, ...others] = demoFamilies.filter((family) => family.broken);
    if (!broken) throw new Error('there is a broken family');
    expect(others).toEqual([]);
    const folder = join(freshDir(), 'documents');
    gatherFamily(nodeModules, broken, folder);
    const objects = createFileObjectStore({ root: freshDir() });
    const tenant = aTenant({ documentsUri: `file://${folder}/` });
    const { profile } = await profileTenant(objects, tenant, { memory: undefined, maxBytes: 1e9 });
    const codes = checkCompleteness(profile, defaultRules).map(({ code }) => code);
    expect(codes).toContain('UNREADABLE');
  });

  it('documents of a demo tenant are complete: what a killed demo left half is copied again', () => {
    const [family] = demoFamilies;
    if (!family) throw new Error('there is a family');
    const folder = join(freshDir(), 'documents', family.tenantId);
    mkdirSync(`${folder}.draft`, { recursive: true });
    writeFileSync(join(`${folder}.draft`, 'half.md'), 'half');
    const count = gatherFamily(nodeModules, family, folder);
    expect(readdirSync(folder)).toHaveLength(count);
    expect(readdirSync(join(folder, '..'))).toEqual([family.tenantId]);
    expect(gatherFamily(nodeModules, family, folder)).toBe(count);
  });
});
