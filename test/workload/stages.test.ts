import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openSearch } from '../../lib/operations/models/search.ts';
import {
  decodeFlatIndex,
  encodeFlatIndex,
  type FlatIndex,
} from '../../lib/training/models/vectors/flat-index.ts';
import type { Manifest } from '../../workload/job/artifacts.ts';
import { skippedForRoot } from '../as-root.ts';
import { freshDir } from '../fresh-dir.ts';
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
      result: {
        selfRetrieval: 1,
        vectors: index.result['vectors'],
        probes: { found: expect.stringMatching(/^([0-9a-f]{6})+$/) },
      },
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
    expect((await search.ask('rockets climb through clouds', 1))[0]?.text).toContain('rockets');
    await expect(search.ask('zzz qqq', 1)).rejects.toThrow(
      expect.objectContaining({ code: 'QUERY_UNKNOWN_WORDS' }),
    );
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

  const row = (number: number) => `document ${number} about the many colours of autumn leaves`;
  const many = <T>(count: number, make: (number: number) => T) =>
    Array.from({ length: count }, (_, i) => make(i));
  const jsonLine = (number: number) => JSON.stringify({ text: row(number) });
  const latin1 = Buffer.from([0x63, 0x61, 0x66, 0xe9]);

  it.each([
    [
      'CSV with another line end inside its cells',
      'a.csv',
      `id,text\n${many(11, (i) => `${i},"${row(i)};\nsaid ""he"""\r\n`).join('')}`,
      {},
    ],
    [
      'CSV with a byte order mark and one cell in another encoding',
      'a.csv',
      Buffer.concat([
        Buffer.from(`\ufeffid,text\n${many(10, (i) => `${i},${row(i)} déjà\n`).join('')}10,`),
        latin1,
      ]),
      { used: 10, notText: 1 },
    ],
    [
      'JSONL with a line in another encoding',
      'a.jsonl',
      Buffer.concat([
        Buffer.from(`${many(10, jsonLine).join('\n')}\n{"text":"`),
        latin1,
        Buffer.from('"}\n'),
      ]),
      { used: 10, notText: 1 },
    ],
    [
      'JSONL with a line too large to be a document',
      'a.jsonl',
      `${many(10, jsonLine).join('\r\n')}\n${JSON.stringify({ text: 'word '.repeat(4_000_000) })}`,
      { used: 10, tooLarge: 1 },
    ],
    [
      'JSONL larger than a document may be',
      'a.jsonl',
      many(11, (i) => JSON.stringify({ text: `${row(i)}${' '.repeat(2_000_000)}` })).join('\n'),
      {},
    ],
  ])('reads %s, from a folder and as an object', async (_, name, body, counts) => {
    const folder = freshDir();
    writeFileSync(join(folder, name), body);
    const workload = openWorkload();
    await workload.objects.put(`s3://documents/${name}`, body);
    for (const [before, documents] of [uri(folder), `s3://documents/${name}`].entries()) {
      const ran = await workload.stage('prepare', { documents, attempt: before + 1 });
      expect(ran.code, ran.stderr).toBe(0);
      expect(ran.result).toMatchObject({ documents: { found: 11, used: 11, ...counts } });
    }
  });

  it.each([
    ['a line that is no JSON', 'a.jsonl', `${jsonLine(0)}\n{"text": "x`, 'DATA_JSONL', 'line 2'],
    ['a line that is null', 'a.jsonl', `${jsonLine(0)}\nnull`, 'DATA_JSONL', 'line 2'],
    ['a line without text', 'a.jsonl', '{"body":"x"}', 'DATA_JSONL', 'line 1'],
    ['a stray quote', 'a.csv', 'id,text\n1,said "he" and left\n', 'DATA_CSV', 'line 2'],
    ['a row that is too long', 'a.csv', 'id,text\n1,one,two\n', 'DATA_CSV', 'line 2'],
    ['no column of texts', 'a.csv', 'id;body\n1;x\n', 'DATA_CSV', 'no column "text"'],
  ])('refuses a file with %s, naming the place', async (_, name, body, code, place) => {
    const folder = freshDir();
    writeFileSync(join(folder, name), body);
    expect(await openWorkload().stage('prepare', { documents: uri(folder) })).toMatchObject({
      code: 65,
      result: { error: { code, message: expect.stringContaining(place) } },
    });
  });

  it('counts a file that is too large to be a document', async () => {
    const folder = documentsFolder(10);
    writeFileSync(join(folder, 'dump.txt'), 'x'.repeat(16 * 1_048_576 + 1));
    expect(await openWorkload().stage('prepare', { documents: uri(folder) })).toMatchObject({
      code: 0,
      result: { documents: { found: 11, used: 10, tooLarge: 1 } },
    });
  });

  it('reads a folder and a glob behind a link, and names documents from there', async () => {
    const link = join(freshDir(), 'link');
    symlinkSync(documentsFolder(10), link);
    const { stage, objects, prefix } = openWorkload();
    for (const [before, documents] of [uri(link), `${uri(link)}/*.md`].entries()) {
      const attempt = before + 1;
      expect(await stage('prepare', { documents, attempt })).toMatchObject({
        code: 0,
        result: { documents: { used: 10 } },
      });
      const shard = await objects.get(`${prefix('prepare', attempt)}passages-00000.jsonl`);
      expect(new TextDecoder().decode(shard)).toContain('"source":"doc-000.md"');
    }
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
    // Where Batch, which keeps no words of a container, is read.
    const words = new TextDecoder().decode(await objects.get(`${prefix('prepare')}result.json`));
    expect(JSON.parse(words)).toEqual(end.result);
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

  it('a disk without room is worth another try (exit 75), even where the reason cannot be written either', async () => {
    const end = await openWorkload().stage('prepare', {
      documents: uri(documentsFolder(12)),
      env: { EPSILON_RESULT_PATH: '/dev/full' },
    });
    expect(JSON.parse(end.stderr)).toMatchObject({ code: 'ENOSPC' });
    expect(end.code).toBe(75);
  });
});

describe('deploy', () => {
  async function trained() {
    const workload = openWorkload();
    await workload.stage('prepare', { documents: uri(documentsFolder(12)) });
    await workload.stage('train');
    await workload.stage('index');
    return workload;
  }

  /** Another index under a manifest that fits it. */
  async function replaceIndex(
    { objects, prefix }: ReturnType<typeof openWorkload>,
    change: (index: FlatIndex) => void,
  ): Promise<void> {
    const [at, manifestAt] = [`${prefix('index')}index.faiss`, `${prefix('index')}manifest.json`];
    const index = decodeFlatIndex(await objects.get(at));
    change(index);
    const body = encodeFlatIndex(index);
    await objects.put(at, body);
    const manifest = JSON.parse(new TextDecoder().decode(await objects.get(manifestAt))) as Manifest;
    const digest = createHash('sha256').update(body).digest('hex');
    const files = manifest.files.map((file) =>
      file.name === 'index.faiss' ? { ...file, sha256: digest } : file,
    );
    await objects.put(manifestAt, JSON.stringify({ ...manifest, files }));
  }

  it.each([
    ['whose rows are in another order', ({ vectors }: FlatIndex) => vectors.reverse()],
    ['whose rows say nothing', ({ vectors }: FlatIndex) => vectors.fill(0)],
    [
      'whose rows are all alike',
      ({ vectors, dimensions }: FlatIndex) => {
        for (let row = dimensions; row < vectors.length; row += dimensions)
          vectors.copyWithin(row, 0, dimensions);
      },
    ],
  ])(
    'refuses a candidate %s: nothing is accepted',
    async (_, change) => {
      const workload = await trained();
      await replaceIndex(workload, change);
      const end = await workload.stage('deploy');
      expect(end).toMatchObject({ code: 65, result: { error: { code: 'CANDIDATE_REFUSED' } } });
      expect(await workload.objects.head(`${workload.prefix('deploy')}verdict.json`)).toBeUndefined();
    },
    30_000,
  );

  it('refuses an index that was changed after it was built', async () => {
    const workload = await trained();
    const at = `${workload.prefix('index')}index.faiss`;
    const body = Buffer.from(await workload.objects.get(at));
    body.fill(0, 45);
    await workload.objects.put(at, body);
    expect(await workload.stage('deploy')).toMatchObject({
      code: 65,
      result: { error: { code: 'DATA_CHECKSUM' } },
    });
  });
});
