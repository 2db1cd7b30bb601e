import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultReading, type Found } from '../../../lib/documents/found.ts';
import { documentsIn } from '../../../lib/documents/read-file.ts';
import { findPlace, listDocuments } from '../../../lib/files/document-files.ts';
import { readDocuments } from '../../../lib/files/documents.ts';
import { createFileObjectStore } from '../../../lib/files/file-object-store.ts';
import { surveyDocuments } from '../../../lib/files/survey.ts';
import { fileUriOf } from '../../../lib/objects/file-uri.ts';
import { skippedForRoot } from '../../as-root.ts';
import { freshDir } from '../../fresh-dir.ts';

const objects = createFileObjectStore({ root: freshDir() });
const read = (path: string): Promise<Found[]> =>
  Array.fromAsync(readDocuments(objects, fileUriOf(path), defaultReading));
const used = (found: readonly Found[]) => found.flatMap((one) => ('text' in one ? one.source : []));
const left = (found: readonly Found[]) =>
  Object.fromEntries(found.flatMap((one) => ('skipped' in one ? [[one.source, one.skipped]] : [])));

describe('documents of a folder', () => {
  it('may have any name', async () => {
    const names = [
      '100% done.md',
      'a%20b.md',
      'line\nend.md',
      'café.md',
      'cafe\u0301.md',
      '[x].md',
      '*?.md',
      '😀.md',
      `${'n'.repeat(251)}.md`,
      'back\\slash.md',
      ' .md',
    ];
    const folder = join(freshDir(), '100% odd [names] {a,b}');
    mkdirSync(folder);
    for (const name of names) writeFileSync(join(folder, name), `text of ${name}`);
    const found = await read(folder);
    expect(new Set(used(found))).toEqual(new Set(names));
    expect(left(found)).toEqual({});
    for (const name of names) expect(used(await read(join(folder, name)))).toEqual([name]);
    expect(used(await read(join(folder, '1*.md')))).toEqual(['100% done.md']);
  });

  it('are read where a name is not UTF-8, and the name is told by its bytes', async () => {
    const folder = freshDir();
    writeFileSync(
      Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.md')]),
      'one',
    );
    mkdirSync(Buffer.concat([Buffer.from(`${folder}/d`), Buffer.from([0xff])]));
    writeFileSync(
      Buffer.concat([Buffer.from(`${folder}/d`), Buffer.from([0xff]), Buffer.from('/in.md')]),
      'two',
    );
    writeFileSync(join(folder, 'good.md'), 'three');
    expect(used(await read(folder)).sort()).toEqual(['caf\\xE9.md', 'd\\xFF/in.md', 'good.md']);
  });

  it('are used although others vanish, are no files, lead away, or are hidden', async () => {
    const folder = freshDir();
    for (const name of ['a.md', 'b.md', 'z.md']) writeFileSync(join(folder, name), `text ${name}`);
    mkdirSync(join(folder, '.git/objects'), { recursive: true });
    writeFileSync(join(folder, '.git/config'), 'hidden');
    writeFileSync(join(folder, '.env'), 'SECRET=1');
    symlinkSync('/etc/passwd', join(folder, 'away.md'));
    symlinkSync('nowhere', join(folder, 'dangling.md'));
    symlinkSync('loop.md', join(folder, 'loop.md'));
    symlinkSync('a.md', join(folder, 'inside.md'));
    symlinkSync('.', join(folder, 'self'));
    execFileSync('mkfifo', [join(folder, 'pipe.md')]);
    mkdirSync(join(folder, 'empty'));
    const found: Found[] = [];
    for await (const one of readDocuments(objects, fileUriOf(folder), defaultReading)) {
      if ('text' in one && one.source === 'a.md') rmSync(join(folder, 'b.md'));
      found.push(one);
    }
    expect(used(found)).toEqual(['a.md', 'inside.md', 'z.md']);
    expect(left(found)).toEqual({
      '.env': 'hidden',
      '.git/': 'hidden',
      'away.md': 'link',
      'b.md': 'vanished',
      'dangling.md': 'link',
      'loop.md': 'link',
      'pipe.md': 'special',
      self: 'link',
    });
  });

  it.skipIf(skippedForRoot('files that may not be read'))(
    'are used although others may not be read',
    async () => {
      const folder = freshDir();
      mkdirSync(join(folder, 'closed'));
      for (const name of ['a.md', 'b.md', 'closed/c.md']) writeFileSync(join(folder, name), name);
      chmodSync(join(folder, 'b.md'), 0);
      chmodSync(join(folder, 'closed'), 0);
      const found = await read(folder);
      chmodSync(join(folder, 'closed'), 0o700);
      expect(used(found)).toEqual(['a.md']);
      expect(left(found)).toEqual({ 'b.md': 'unreadable', 'closed/': 'unreadable' });
    },
  );

  it('are used beside one whose reading fails, whatever its error; errors of this process are no fault of a file', async () => {
    const failing = (code: string) =>
      Array.fromAsync(
        documentsIn(
          {
            source: 'made-up',
            size: 1,
            modifiedAt: 0,
            open: () => {
              throw Object.assign(new Error(code), { code, syscall: 'read' });
            },
          },
          defaultReading,
        ),
      );
    for (const code of ['EINVAL', 'EIO', 'ESRCH', 'EOPNOTSUPP'])
      expect(left(await failing(code))).toEqual({ 'made-up': 'unreadable' });
    await expect(failing('EMFILE')).rejects.toMatchObject({ code: 'EMFILE' });
  });

  it('come in the order of object keys, so that a folder and its copy in objects give the same model', async () => {
    const folder = freshDir();
    for (const name of ['b.md', 'a/z.md', 'a.md', 'a-b.md', 'ü.md', '😀.md', '\uffff.md']) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), `text of ${name}`);
      await objects.put(`s3://copies/acme/${name}`, `text of ${name}`);
    }
    await objects.put('s3://copies/acme/.hidden/x.md', 'hidden');
    const copies = await Array.fromAsync(readDocuments(objects, 's3://copies/acme/', defaultReading));
    expect(new Set(used(copies))).toEqual(new Set(used(await read(folder))));
    expect(left(copies)).toEqual({ '.hidden/x.md': 'hidden' });
    expect(used(await read(folder)).slice(0, 4)).toEqual(['a-b.md', 'a.md', 'a/z.md', 'b.md']);
  });

  it('that are hidden are read where they are named', async () => {
    const folder = join(freshDir(), '.notes');
    mkdirSync(join(folder, '.deep'), { recursive: true });
    writeFileSync(join(folder, '.a.md'), 'one');
    writeFileSync(join(folder, '.deep/b.md'), 'two');
    writeFileSync(join(folder, 'c.md'), 'three');
    expect(used(await read(folder))).toEqual(['c.md']);
    expect(used(await read(join(folder, '.a.md')))).toEqual(['.a.md']);
    expect(used(await read(join(folder, '.*.md')))).toEqual(['.a.md']);
    expect(used(await read(join(folder, '.deep/*.md')))).toEqual(['b.md']);
    expect(used(await read(`${folder}/**/*.md`))).toEqual(['c.md']);
  });
});

describe('a place of documents', () => {
  it.each([
    ['is not there', '/nowhere/at/all', 'DOCUMENTS_NOT_FOUND'],
    ['is a device', '/dev/null', 'DOCUMENTS_NOT_FOUND'],
    ['has a name that is too long', `/tmp/${'x'.repeat(300)}`, 'DOCUMENTS_NOT_FOUND'],
    ['is below a file', '/etc/passwd/x', 'DOCUMENTS_NOT_FOUND'],
  ])('that %s is refused', async (_, path, code) => {
    await expect(findPlace(path)).rejects.toMatchObject({ code });
  });

  it('with brackets in its name is not taken for a glob, and one may be in a folder of such a name', async () => {
    const folder = join(freshDir(), '[draft] *');
    mkdirSync(folder);
    writeFileSync(join(folder, 'a.md'), 'one');
    writeFileSync(join(folder, 'b.txt'), 'two');
    expect(await findPlace(folder)).toMatchObject({ kind: 'folder' });
    expect(await findPlace(join(folder, '*.md'))).toMatchObject({ kind: 'glob', pattern: '*.md' });
    expect(await Array.fromAsync(listDocuments(await findPlace(join(folder, '*.md'))))).toMatchObject([
      { source: 'a.md' },
    ]);
  });
});

describe('a survey', () => {
  it('says what would be read and what would be left out, and stops when it has seen enough', async () => {
    const folder = freshDir();
    for (let at = 0; at < 20; at += 1)
      writeFileSync(join(folder, `d-${String(at).padStart(2, '0')}.md`), `document ${at}`);
    writeFileSync(join(folder, 'a.pdf'), '%PDF-1.4');
    writeFileSync(join(folder, 'copy.md'), 'document 3');
    const whole = await surveyDocuments(objects, fileUriOf(folder), defaultReading);
    expect(whole).toMatchObject({
      counts: { found: 22, used: 20, binary: 1, duplicate: 1 },
      passages: 20,
      complete: true,
    });
    expect(whole.words).toBe('1 × another kind of file ("a.pdf" a PDF file), 1 × the same text as another');
    expect(whole.first).toEqual(['copy.md', 'd-00.md', 'd-01.md', 'd-02.md', 'd-04.md']);
    expect(await surveyDocuments(objects, fileUriOf(folder), defaultReading, { enough: 5 })).toMatchObject({
      counts: { used: 5 },
      complete: false,
    });
  });
});
