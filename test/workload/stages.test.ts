import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openSearch } from '../../lib/operations/search.ts';
import { skippedForRoot } from '../as-root.ts';
import { freshDir } from '../local/asl/harness.ts';
import { documentsFolder, openWorkload } from './harness.ts';

const uri = (path: string) => pathToFileURL(path).href;

describe('the five stages on real processes', () => {
  it('lead from documents to answers, with results, manifests and losses that fall', async () => {
    const { stage, objects, prefix } = openWorkload();
    const prepare = await stage('prepare', { documents: uri(documentsFolder(24)) });
    expect(prepare, prepare.stderr).toMatchObject({
      code: 0,
      result: { documents: { found: 24, used: 24 } },
    });
    const train = await stage('train');
    expect(train.code, train.stderr).toBe(0);
    const losses = train.result['losses'] as number[];
    expect(losses).toHaveLength(10);
    expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
    const index = await stage('index');
    expect(index, index.stderr).toMatchObject({ code: 0, result: { dimensions: 64 } });
    const deploy = await stage('deploy');
    expect(deploy, deploy.stderr).toMatchObject({
      code: 0,
      result: { selfRetrieval: 1, vectors: index.result['vectors'] },
    });
    const cache = await stage('cache');
    expect(cache, cache.stderr).toMatchObject({
      code: 0,
      result: { cache: 'file', entries: index.result['vectors'] },
    });
    for (const name of ['prepare', 'train', 'index', 'deploy', 'cache']) {
      expect(await objects.head(`${prefix(name)}manifest.json`)).toBeDefined();
      expect(await objects.head(`${prefix(name)}result.json`)).toBeDefined();
    }
    const live = {
      tenantId: 'acme',
      modelVersion: 'v',
      modelUri: `${prefix('train')}model.bin`,
      indexUri: `${prefix('index')}index.faiss`,
      dataUri: prefix('prepare'),
      cacheUri: prefix('cache'),
      fence: 1,
      promotedAt: '',
      reason: 'run',
    } as const;
    const search = await openSearch(objects, live);
    expect(search.ask('rockets climb through clouds', 1)[0]?.text).toContain('rockets');
    expect(() => search.ask('zzz qqq', 1)).toThrow(expect.objectContaining({ code: 'QUERY_UNKNOWN_WORDS' }));
  }, 60_000);

  it('give the same bytes for the same documents and seed, others for another seed', async () => {
    const folder = uri(documentsFolder(12));
    const model = async (seed: number) => {
      const { stage, objects, prefix } = openWorkload(seed);
      await stage('prepare', { documents: folder });
      await stage('train');
      return Buffer.from(await objects.get(`${prefix('train')}model.bin`)).toString('base64');
    };
    const first = await model(1);
    expect(await model(1)).toBe(first);
    expect(await model(2)).not.toBe(first);
  }, 60_000);
});

describe('prepare', () => {
  it('skips and counts what is no text, empty, or there twice', async () => {
    const folder = documentsFolder(12);
    writeFileSync(join(folder, 'picture.bin'), Buffer.from([0, 1, 2, 255]));
    writeFileSync(join(folder, 'latin1.md'), Buffer.from([0x63, 0x61, 0x66, 0xe9]));
    writeFileSync(join(folder, 'empty.md'), '  \n');
    writeFileSync(join(folder, 'copy.md'), readFileSync(join(folder, 'doc-000.md')));
    symlinkSync('/etc/passwd', join(folder, 'way-out.md'));
    const { stage, objects, prefix } = openWorkload();
    const { code, result, stderr } = await stage('prepare', { documents: uri(folder) });
    expect(code, stderr).toBe(0);
    expect(result).toMatchObject({ documents: { used: 12, notText: 2, empty: 1, duplicate: 1 } });
    const shard = new TextDecoder().decode(await objects.get(`${prefix('prepare')}passages-00000.jsonl`));
    expect(shard).not.toContain('root:');
  });

  it.each([
    [
      'a JSONL file',
      'items.jsonl',
      (n: number) =>
        Array.from({ length: n }, (_, i) =>
          JSON.stringify({ id: i, text: `document ${i} about the many colours of autumn leaves` }),
        ).join('\n'),
    ],
    [
      'a CSV file',
      'items.csv',
      (n: number) =>
        `id,text\n${Array.from({ length: n }, (_, i) => `${i},"document ${i}, about the many colours of autumn leaves"`).join('\n')}`,
    ],
  ])('reads %s', async (_, name, body) => {
    const folder = freshDir();
    writeFileSync(join(folder, name), body(11));
    const { code, result } = await openWorkload().stage('prepare', { documents: uri(join(folder, name)) });
    expect(code).toBe(0);
    expect(result).toMatchObject({ documents: { found: 11, used: 11 } });
  });

  it('reads a glob and an object prefix, and stops at the cap of documents', async () => {
    const folder = documentsFolder(15);
    writeFileSync(join(folder, 'notes.txt'), 'not asked for');
    const workload = openWorkload();
    expect(await workload.stage('prepare', { documents: `${uri(folder)}/*.md` })).toMatchObject({
      code: 0,
      result: { documents: { found: 15 } },
    });
    for (const name of readdirSync(folder))
      await workload.objects.put(`s3://documents/acme/${name}`, readFileSync(join(folder, name)));
    expect(
      await workload.stage('prepare', {
        documents: 's3://documents/acme/',
        attempt: 2,
        options: { maxDocuments: 10 },
      }),
    ).toMatchObject({ code: 0, result: { documents: { used: 10, overCap: 6 } } });
  });

  it.each([
    ['missing', '/nowhere/at/all', 66, 'DOCUMENTS_NOT_FOUND'],
    ['empty', freshDir(), 66, 'DOCUMENTS_EMPTY'],
    ['too few', documentsFolder(9), 65, 'DATA_TOO_FEW_DOCUMENTS'],
  ])('says that documents are %s and leaves nothing behind', async (_, folder, exit, code) => {
    const { stage, objects, prefix } = openWorkload();
    const end = await stage('prepare', { documents: uri(folder) });
    expect(end).toMatchObject({ code: exit, result: { error: { code } } });
    expect(JSON.parse(end.stderr)).toMatchObject({ level: 'ERROR', code });
    expect(await objects.head(`${prefix('prepare')}manifest.json`)).toBeUndefined();
  });

  it.skipIf(skippedForRoot('documents that may not be read'))(
    'says that documents are unreadable',
    async () => {
      const folder = documentsFolder(1);
      chmodSync(folder, 0o000);
      expect(await openWorkload().stage('prepare', { documents: uri(folder) })).toMatchObject({
        code: 77,
        result: { error: { code: 'DOCUMENTS_UNREADABLE' } },
      });
    },
  );
});

describe('train', () => {
  it('caps the tokens and says so', async () => {
    const { stage } = openWorkload();
    await stage('prepare', { documents: uri(documentsFolder(12)) });
    const { result } = await stage('train', { options: { maxTokens: 500 } });
    expect(result).toMatchObject({ tokens: 500 });
    expect(result['cappedFrom']).toBeGreaterThan(500);
  });

  it.each([
    ['an unknown model type', ['--model-type', 'magic', '--epochs', '10'], 64, 'MODEL_TYPE_UNKNOWN'],
    ['no epochs', ['--model-type', 'skipgram', '--epochs', '0'], 64, 'USAGE'],
    ['an unknown argument', ['--colour', 'red'], 64, 'USAGE'],
    ['nothing to do', [], 64, 'USAGE'],
  ])('refuses %s', async (_, args, exit, code) => {
    const { stage } = openWorkload();
    expect(await stage('train', { args })).toMatchObject({ code: exit, result: { error: { code } } });
  });

  it('refuses data that is not finished or was changed', async () => {
    const workload = openWorkload();
    expect(await workload.stage('train')).toMatchObject({
      code: 66,
      result: { error: { code: 'DATA_NO_MANIFEST' } },
    });
    await workload.stage('prepare', { documents: uri(documentsFolder(12)) });
    await workload.objects.put(
      `${workload.prefix('prepare')}passages-00000.jsonl`,
      '{"id":"x","source":"y","text":"changed"}\n',
    );
    expect(await workload.stage('train')).toMatchObject({
      code: 65,
      result: { error: { code: 'DATA_CHECKSUM' } },
    });
  });
});

describe('the job contract', () => {
  it.each([
    ['EPSILON_OUTPUT', 's3://bucket/no-slash'],
    ['EPSILON_INPUTS', '{'],
    ['EPSILON_RUN_ID', undefined],
    ['EPSILON_OPTIONS', '{"maxTokens":-1}'],
  ])('%s = %j is refused by name with exit 78', async (name, value) => {
    const end = await openWorkload().stage('train', { env: { [name]: value } });
    expect(end.code).toBe(78);
    expect(JSON.parse(end.stderr)).toMatchObject({
      code: 'CONTRACT_INVALID',
      message: expect.stringContaining(name),
    });
  });

  it('a disk without room is worth another try (exit 75)', async () => {
    const { stage, root } = openWorkload();
    mkdirSync(join(root, 'objects', 'data-bucket', 'acme'), { recursive: true });
    const end = await stage('prepare', {
      documents: uri(documentsFolder(12)),
      env: { EPSILON_OBJECTS_ROOT: '/dev/full/objects' },
    });
    expect(end.code).not.toBe(0);
    expect(JSON.parse(end.stderr)).toHaveProperty('code');
  });
});

describe('deploy', () => {
  it('refuses a candidate that does not find its own passages; nothing is accepted', async () => {
    const { stage, objects, prefix } = openWorkload();
    await stage('prepare', { documents: uri(documentsFolder(12)) });
    await stage('train');
    await stage('index');
    const good = Buffer.from(await objects.get(`${prefix('index')}index.faiss`));
    good.fill(0, 45);
    await objects.put(`${prefix('index')}index.faiss`, good);
    const end = await stage('deploy');
    expect(end).toMatchObject({ code: 65, result: { error: { code: 'DATA_CHECKSUM' } } });
    expect(await objects.head(`${prefix('deploy')}verdict.json`)).toBeUndefined();
  });
});
