import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import { findJudged } from '../../lib/files/judged-documents.ts';
import { profileTenant, profileWanted } from '../../lib/files/profile-tenant.ts';
import { aTenant } from '../fixtures/records.ts';
import { freshDir } from '../fresh-dir.ts';
import { documentsFolder, openWorkload } from './harness.ts';

const objects = createFileObjectStore({ root: freshDir() });
const at = '2026-11-24T01:00:00.000Z';
const uri = (folder: string) => `${pathToFileURL(folder).href}/`;

function write(folder: string, name: string, time: string, text = `Text of ${name}.`): void {
  writeFileSync(join(folder, name), text);
  utimesSync(join(folder, name), new Date(time), new Date(time));
}

/** A folder of documents of an hour before the check, and its digest. */
async function judgedFolder() {
  const folder = documentsFolder(12);
  for (let index = 0; index < 12; index += 1)
    write(
      folder,
      `doc-${String(index).padStart(3, '0')}.md`,
      '2026-11-24T00:00:00Z',
      `Document ${index} says something.`,
    );
  const tenant = aTenant({ documentsUri: uri(folder) });
  const { profile } = await profileTenant(objects, tenant, { memory: undefined, maxBytes: 1e9 });
  return { folder, judged: { digest: profile.digest, at } };
}

describe('objects that were judged', () => {
  it('are all read when nothing has changed, whatever their time', async () => {
    const { folder, judged } = await judgedFolder();
    const { accept, later } = await findJudged(objects, uri(folder), {
      ...judged,
      at: '2020-01-01T00:00:00Z',
    });
    expect([accept({ source: 'doc', modifiedAt: Date.now() }), later]).toEqual([true, 0]);
  });

  it('are told from those that came later', async () => {
    const { folder, judged } = await judgedFolder();
    write(folder, 'later.md', '2026-11-24T01:30:00Z');
    const { accept, later } = await findJudged(objects, uri(folder), judged);
    expect(later).toBe(1);
    expect(accept({ source: 'doc', modifiedAt: Date.parse(at) })).toBe(true);
    expect(accept({ source: 'doc', modifiedAt: Date.parse(at) + 1 })).toBe(false);
  });

  it.each([
    ['replaced', (folder: string) => write(folder, 'doc-003.md', '2026-11-24T01:30:00Z')],
    ['removed', (folder: string) => rmSync(join(folder, 'doc-003.md'))],
    ['put in with an old time', (folder: string) => write(folder, 'old.md', '2026-11-23T00:00:00Z')],
  ])('are refused when one was %s', async (_, change) => {
    const { folder, judged } = await judgedFolder();
    change(folder);
    await expect(findJudged(objects, uri(folder), judged)).rejects.toMatchObject({ code: 'DATA_NOT_JUDGED' });
  });
});

describe('documents larger than what a check reads', () => {
  const listed = async (folder: string, maxBytes: number) => {
    const tenant = aTenant({ documentsUri: uri(folder) });
    return (await profileTenant(objects, tenant, { memory: undefined, maxBytes })).profile;
  };

  it('are read in part, the same files each time and not the first by name alone', async () => {
    const folder = documentsFolder(0);
    for (let index = 0; index < 200; index += 1)
      write(
        folder,
        `${String(index).padStart(3, '0')}.md`,
        at,
        index < 100 ? 'a'.repeat(100) : 'b'.repeat(100),
      );
    const profile = await listed(folder, 10_000);
    expect(profile).toMatchObject({ files: 200, bytes: 20_000, sampled: true });
    expect(profile.found).toBeGreaterThan(75);
    expect(profile.found).toBeLessThan(125);
    // Both texts are among them, each once.
    expect(profile.used).toBe(2);
    expect(await listed(folder, 10_000)).toEqual(profile);
    expect((await listed(folder, 20_000)).sampled).toBe(false);
  });

  it('are read from the beginning where the files are few', async () => {
    const folder = documentsFolder(0);
    for (let index = 0; index < 3; index += 1) write(folder, `${index}.md`, at, `${index} `.repeat(10_000));
    expect(await listed(folder, 1)).toMatchObject({ files: 3, found: 1, used: 1, sampled: true });
  });

  it('are those that the check listed, when a job reads them', async () => {
    const { folder, judged } = await judgedFolder();
    const { digest, files, bytes, newestArrival } = await listed(folder, 1e9);
    const wanted = {
      tenantId: 'acme',
      documentsUri: uri(folder),
      reading: {},
      listing: { digest, files, bytes, newestArrival },
      at: judged.at,
    };
    write(folder, 'later.md', '2026-11-24T01:30:00Z');
    expect(await profileWanted(objects, wanted, 1e9)).toMatchObject({ digest, found: 12 });
    write(folder, 'doc-003.md', '2026-11-24T01:30:00Z');
    await expect(profileWanted(objects, wanted, 1e9)).rejects.toMatchObject({ code: 'DATA_NOT_JUDGED' });
  });
});

describe('prepare', () => {
  it('trains on judged objects alone, and is rejected when one of them was replaced', async () => {
    const { folder, judged } = await judgedFolder();
    write(folder, 'later.md', '2026-11-24T01:30:00Z');
    const workload = openWorkload();
    const given = {
      documents: uri(folder),
      env: { EPSILON_OPTIONS: JSON.stringify({ judgedDigest: judged.digest, judgedAt: judged.at }) },
    };
    expect(await workload.stage('prepare', given)).toMatchObject({
      code: 0,
      result: { documents: { found: 12 }, afterTheCheck: 1 },
    });
    write(folder, 'doc-003.md', '2026-11-24T01:30:00Z');
    expect(await workload.stage('prepare', { ...given, attempt: 2 })).toMatchObject({
      code: 65,
      result: { error: { code: 'DATA_NOT_JUDGED' } },
    });
  });
});
