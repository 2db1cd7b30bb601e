import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileUriOf, pathOfFileUri } from '../../../lib/objects/file-uri.ts';
import { parseObjectUri } from '../../../lib/objects/object-uri.ts';

describe('file URIs', () => {
  it('give exactly the path back that they were made of', () => {
    const segment = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => !/[/\0]|^\.\.?$/.test(text) && text.isWellFormed());
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (segments) => {
        const path = `/${segments.join('/')}`;
        expect(pathOfFileUri(fileUriOf(path))).toBe(path);
      }),
    );
  });

  it.each([
    '/a/a%20b',
    '/a/100% docs',
    '/a/%',
    '/a/what?#*.md',
    '/a/{x,y}/[1-9]*.md',
    '/a/line\nend\ttab',
    '/a/cafe\u0301',
    '/a/café',
    '/a/back\\slash',
    '/a/😀',
    '/a/ blank ',
  ])('keep %j apart from every other path', (path) => {
    expect(pathOfFileUri(fileUriOf(path))).toBe(path);
    expect(fileUriOf(path)).toMatch(/^file:\/\/\/[\x21-\x7e]+$/);
  });

  it.each([
    ['a lone percent sign', 'file:///a/100% docs'],
    ['bytes that are not UTF-8', 'file:///a/%FF'],
    ['a slash in disguise', 'file:///a%2Fb'],
    ['a NUL', 'file:///a%00b'],
    ['another host', 'file://host/a'],
    ['no path', 'file:a'],
    ['more than a path may have', `file:///${'x'.repeat(5_000)}`],
  ])('are refused with %s', (_, uri) => {
    expect(() => pathOfFileUri(uri)).toThrow(
      expect.objectContaining({
        code: 'DOCUMENTS_URI_INVALID',
        message: expect.stringMatching(/^.{1,500}$/s),
      }),
    );
  });
});

describe('object URIs', () => {
  it('have keys of at most 1,024 bytes, and a refusal does not repeat a page of them', () => {
    expect(parseObjectUri(`s3://bucket/${'x'.repeat(1_024)}`).key).toHaveLength(1_024);
    for (const key of ['x'.repeat(131_040), 'ü'.repeat(513)])
      expect(() => parseObjectUri(`s3://bucket/${key}`)).toThrow(
        expect.objectContaining({ code: 'OBJECT_URI_INVALID', message: expect.stringMatching(/^.{1,600}$/) }),
      );
  });
});
