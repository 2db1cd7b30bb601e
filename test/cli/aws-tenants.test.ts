import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { aTenant } from '../fixtures/records.ts';
import { freshDir } from '../fresh-dir.ts';
import { begun, deployedEnvironment, failing, s3 } from './aws-harness.ts';

const { epsilon, stores } = deployedEnvironment();

describe('--target aws: tenants', () => {
  const put = () => s3.commandCalls(PutObjectCommand).map((each) => each.args[0].input.Key);
  const folder = () => {
    const path = freshDir();
    mkdirSync(join(path, 'sub'));
    for (const [name, text] of [
      ['a.md', 'alpha'],
      ['sub/b.md', 'beta'],
    ] as const) {
      writeFileSync(join(path, name), text);
      utimesSync(join(path, name), begun, begun);
    }
    return path;
  };

  it('add uploads a folder of this host to where the tenant’s jobs may read, with progress', async () => {
    const ran = await epsilon(['tenants', 'add', 'acme', '--documents', folder()]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('uploaded 2 of 2 documents');
    expect(ran.out).toContain('Tenant acme added: s3://embeddings-saas-data-dev/acme/documents/');
    expect(ran.out).toContain(
      'epsilon --target aws --environment dev run tenant-model-training --tenant acme',
    );
    expect(put().sort()).toEqual(['acme/documents/a.md', 'acme/documents/sub/b.md']);
    expect(await stores().tenants.get('acme')).toMatchObject({
      backend: 'batch',
      documentsUri: 's3://embeddings-saas-data-dev/acme/documents/',
    });
  });

  it('an upload that was interrupted goes on with what is missing, and no tenant is half made', async () => {
    s3.on(PutObjectCommand).resolvesOnce({}).rejects(failing('SlowDown'));
    const path = folder();
    expect(await epsilon(['tenants', 'add', 'acme', '--documents', path])).toMatchObject({
      code: 4,
      err: expect.stringContaining('THROTTLED'),
    });
    expect(await stores().tenants.get('acme')).toBeUndefined();
    s3.reset();
    s3.on(PutObjectCommand).resolves({});
    s3.on(ListObjectsV2Command).resolves({
      Contents: [
        { Key: 'acme/documents/a.md', Size: 5, LastModified: begun },
        { Key: 'acme/documents/left-over.md', Size: 5, LastModified: begun },
      ],
    });
    const ran = await epsilon(['tenants', 'add', 'acme', '--documents', path, '--json']);
    expect(ran.json()).toMatchObject({
      tenant: { tenantId: 'acme' },
      documents: { uploaded: 1, unchanged: 1, skipped: 0, others: 1, bytes: 4 },
    });
    expect(ran.err).toContain('1 objects below s3://embeddings-saas-data-dev/acme/documents/');
    expect(put()).toEqual(['acme/documents/sub/b.md']);
  });

  it('one file, and a glob, are uploaded too', async () => {
    const path = folder();
    await epsilon(['tenants', 'add', 'one', '--documents', join(path, 'a.md'), '--backend', 'batch']);
    expect(await stores().tenants.get('one')).toMatchObject({
      documentsUri: 's3://embeddings-saas-data-dev/one/documents/a.md',
      backend: 'batch',
    });
    await epsilon(['tenants', 'add', 'two', '--documents', join(path, '**/b*.md')]);
    expect(put()).toEqual(['one/documents/a.md', 'two/documents/sub/b.md']);
    expect(await stores().tenants.get('two')).toMatchObject({
      documentsUri: 's3://embeddings-saas-data-dev/two/documents/',
    });
  });

  it.each([
    [
      ['--documents', 's3://other-bucket/docs/'],
      'DOCUMENTS_OUT_OF_REACH',
      'aws s3 sync s3://other-bucket/docs/ s3://embeddings-saas-data-dev/acme/documents/',
    ],
    [
      ['--documents', 's3://embeddings-saas-data-dev/rival/documents/'],
      'DOCUMENTS_OUT_OF_REACH',
      's3://embeddings-saas-data-dev/acme/',
    ],
    [['--documents', 's3://embeddings-saas-data-dev/acme/nothing/'], 'DOCUMENTS_NOT_FOUND', 'acme/nothing'],
    [['--documents', '/nowhere'], 'DOCUMENTS_NOT_FOUND', '/nowhere'],
    [['--documents', '.', '--backend', 'local'], 'TENANT_INVALID', 'batch or eks'],
    [['--documents', '.', '--backend', 'eks'], 'TENANT_INVALID', 'Kubernetes is off in dev'],
    [['--documents', '.', '--model-type', 'magic'], 'MODEL_TYPE_UNKNOWN', 'skipgram'],
  ])('add with %j is refused with %s, and nothing is uploaded', async (options, code, words) => {
    const ran = await epsilon(['tenants', 'add', 'acme', ...options]);
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining(`error ${code}: `) });
    expect(ran.err).toContain(words);
    expect(put()).toEqual([]);
    expect(await stores().tenants.list()).toEqual([]);
  });

  it('a tenant that is there already is not uploaded to', async () => {
    await stores().tenants.put(aTenant({ backend: 'batch' }), 0);
    expect(await epsilon(['tenants', 'add', 'acme', '--documents', folder()])).toMatchObject({
      code: 3,
      err: expect.stringContaining('TENANT_EXISTS'),
    });
    expect(put()).toEqual([]);
  });

  it('are suspended, resumed, listed, shown and removed', async () => {
    await stores().tenants.put(aTenant({ backend: 'batch' }), 0);
    await epsilon(['tenants', 'suspend', 'acme']);
    expect(await epsilon(['run', 'tenant-model-training', '--tenant', 'acme'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('"epsilon --target aws --environment dev tenants resume acme"'),
    });
    await epsilon(['tenants', 'resume', 'acme']);
    expect((await epsilon(['tenants', 'list', '--json'])).json()).toMatchObject({
      tenants: [{ tenantId: 'acme', status: 'active', version: 3 }],
    });
    expect(await epsilon(['tenants', 'show', 'acme'])).toMatchObject({ code: 0 });
    expect(await epsilon(['tenants', 'remove', 'acme', '--yes'])).toMatchObject({ code: 0 });
    expect(await stores().tenants.get('acme')).toBeUndefined();
  });
});
