import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvRecords } from '../../../lib/documents/csv-records.ts';
import { defaultReading, type Found, type ReadingOptions } from '../../../lib/documents/found.ts';
import { documentsIn } from '../../../lib/documents/read-file.ts';

async function* pieces(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What a file of this name and content holds. */
function read(
  source: string,
  content: string | Uint8Array,
  options: Partial<ReadingOptions> = {},
  size?: number,
): Promise<Found[]> {
  const bytes = Buffer.from(content);
  const file = { source, size: bytes.length, modifiedAt: 0, open: () => pieces(bytes, size) };
  return Array.fromAsync(documentsIn(file, { ...defaultReading, ...options }));
}

const texts = (found: readonly Found[]) => found.flatMap((one) => ('text' in one ? one.text : []));
const skips = (found: readonly Found[]) => found.flatMap((one) => ('skipped' in one ? one.skipped : []));
const rows = (count: number, change: (row: number) => string | undefined = () => undefined) =>
  Array.from({ length: count }, (_, row) => change(row) ?? `${row},row number ${row}`);

describe('a CSV file', () => {
  it.each([
    ['commas', 'id,text\na,one\nb,two\n'],
    ['semicolons', 'id;text\na;one\nb;two\n'],
    ['tabs', 'id\ttext\na\tone\nb\ttwo\n'],
    ['CRLF and a byte order mark', '\ufeffid,text\r\na,one\r\nb,two\r\n'],
    ['CR alone', 'id,text\ra,one\rb,two\r'],
    ['quotes, and blanks around them', '"id", "text"\n"a" , "one"\nb,"two"'],
    ['names in other letters', 'ID, Text \na,one\nb,two\n'],
    ['empty lines', 'id,text\n\na,one\n\n\nb,two\n\n'],
  ])('is read with %s, however it is cut', async (_, content) => {
    for (const size of [1, 3, 1_000]) {
      const found = await read('a.csv', content, {}, size);
      expect(found).toEqual([
        { source: 'a.csv#a', text: 'one' },
        { source: 'a.csv#b', text: 'two' },
      ]);
    }
  });

  it('keeps delimiters, doubled quotes and line ends of a quoted cell', async () => {
    const found = await read('a.csv', 'text,id\n"he said ""yes"", then\nleft; for good",7\n');
    expect(found).toEqual([{ source: 'a.csv#7', text: 'he said "yes", then\nleft; for good' }]);
  });

  it('takes the columns that it is told to', async () => {
    const content = 'number;body;title\n1;the body;the title\n';
    expect(await read('a.csv', content, { textColumn: 'body', idColumn: 'title' })).toEqual([
      { source: 'a.csv#the title', text: 'the body' },
    ]);
    expect(await read('a.csv', content)).toEqual([
      {
        source: 'a.csv',
        skipped: 'noColumn',
        detail: 'has no column "text" (it has: number, body, title)',
      },
    ]);
  });

  it.each([
    ['text behind a closing quote', '50,"row" number 50'],
    ['a quote inside a cell', '50,row "number" 50'],
    ['a quote that never ends', '50,"row number 50'],
    ['a cell too many', '50,row,number'],
    ['a cell too few', '50'],
  ])('loses one row by %s, and no other', async (_, bad) => {
    const content = `id,text\n${rows(200, (row) => (row === 50 ? bad : undefined)).join('\n')}\n`;
    for (const size of [11, 100_000]) {
      const found = await read('a.csv', content, {}, size);
      expect(texts(found)).toHaveLength(199);
      expect(found.filter((one) => 'skipped' in one)).toEqual([
        { source: 'a.csv#52', skipped: 'badRow', detail: expect.stringContaining('line 52 ') },
      ]);
    }
  });

  it('with more bad rows than are tolerated is refused with the first places', async () => {
    const content = `id,text\n${rows(100, (row) => (row % 40 === 7 ? 'x' : undefined)).join('\n')}\n`;
    await expect(read('a.csv', content)).rejects.toMatchObject({
      code: 'DATA_CSV',
      message: expect.stringMatching(
        /^a\.csv: 3 of 100 rows are bad, 1 % may be \(line 9 .*line 49 .*line 89 /,
      ),
    });
    expect(texts(await read('a.csv', content, { badRowShare: 0.03 }))).toHaveLength(97);
  });

  it('reads back what was written, whatever is in its cells', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'ü', '"', ',', '\n', '\r', ' ', '😀') });
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell), { minLength: 1 }),
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        async (table, size, end) => {
          const content = Buffer.from(table.map((row) => row.map(quoted).join(',') + end).join(''));
          const found = await Array.fromAsync(csvRecords(pieces(content, size), ','.charCodeAt(0)));
          expect(found.map((one) => ('cells' in one ? one.cells.map(String) : one))).toEqual(table);
        },
      ),
    );
  });
});

describe('a JSONL file', () => {
  const lines = (count: number, change: (row: number) => string | undefined = () => undefined) =>
    Array.from({ length: count }, (_, row) => change(row) ?? JSON.stringify({ text: `row ${row}` })).join(
      '\n',
    );

  it.each([
    ['is cut off', '{"text": "x', 'is not JSON'],
    ['is null', 'null', 'has no "text"'],
    ['is a list', '["text"]', 'has no "text"'],
    ['has a number for a text', '{"text": 5, "id": 1}', 'has no "text" (it has: text, id)'],
    ['has a text of its prototype only', '{"body":"x"}', 'has no "text" (it has: body)'],
  ])('loses one line that %s, and no other', async (_, bad, detail) => {
    const found = await read(
      'a.jsonl',
      lines(150, (row) => (row === 9 ? bad : undefined)),
    );
    expect(texts(found)).toHaveLength(149);
    expect(found[9]).toEqual({ source: 'a.jsonl#10', skipped: 'badRow', detail: `line 10 ${detail}` });
  });

  it('with more bad lines than are tolerated is refused, long before its end when nearly all are', async () => {
    await expect(
      read(
        'a.jsonl',
        lines(100, (row) => (row < 2 ? '{' : undefined)),
      ),
    ).rejects.toMatchObject({
      code: 'DATA_JSONL',
    });
    const endless = async function* () {
      for (;;) yield Buffer.from('nonsense\n'.repeat(100));
    };
    const file = { source: 'a.jsonl', size: 1, modifiedAt: 0, open: endless };
    await expect(Array.fromAsync(documentsIn(file, defaultReading))).rejects.toMatchObject({
      message: expect.stringContaining('1000 of 1000 rows are bad'),
    });
  });

  it('takes the keys that it is told to', async () => {
    const content = '{"body":"one","key":"k"}\n{"body":"two","key":null}\n';
    expect(await read('a.ndjson', content, { textColumn: 'body', idColumn: 'key' })).toEqual([
      { source: 'a.ndjson#k', text: 'one' },
      { source: 'a.ndjson#2', text: 'two' },
    ]);
    expect(await read('a.jsonl', '{"__proto__":{"text":"no"}}')).toMatchObject([{ skipped: 'badRow' }]);
  });
});

describe('a compressed file', () => {
  const content = `id,text\n${rows(50).join('\n')}\n`;

  it('is unpacked, with its name or without, in one member or several', async () => {
    const two = Buffer.concat([gzipSync(content.slice(0, 100)), gzipSync(content.slice(100))]);
    for (const [name, bytes] of [
      ['a.csv.gz', gzipSync(content)],
      ['a.csv', gzipSync(content)],
      ['a.csv.gz', two],
    ] as const)
      expect(texts(await read(name, bytes))).toHaveLength(50);
    expect(await read('a.md.gz', gzipSync('# Title'))).toEqual([{ source: 'a.md.gz', text: '# Title' }]);
  });

  it('that is broken is told, and what was readable is used', async () => {
    const noise = Array.from({ length: 20_000 }, (_, at) => `${at},${(at * 2_654_435_761) >>> 0}`);
    const whole = gzipSync(`id,text\n${noise.join('\n')}\n`);
    const found = await read('a.csv.gz', whole.subarray(0, whole.length / 2), {}, 1_000);
    expect(texts(found).length).toBeGreaterThan(1_000);
    expect(found.at(-1)).toMatchObject({ source: 'a.csv.gz', skipped: 'brokenArchive' });
    whole.fill(0x55, 200, 260);
    expect(skips(await read('a.md.gz', whole))).toEqual(['brokenArchive']);
  });

  it('that unpacks to more than a document is too large, and memory is not filled with it', async () => {
    expect(skips(await read('bomb.txt.gz', gzipSync(Buffer.alloc(64 * 1_048_576, 0x61)), {}, 4_096))).toEqual(
      ['tooLarge'],
    );
  });
});

describe('another file', () => {
  it.each([
    ['report.pdf', '%PDF-1.7\nplain words only', 'a PDF file'],
    ['report.txt', '%PDF-1.7\nplain words only', 'a PDF file'],
    ['all.zip', Buffer.from('504b0304140000000800', 'hex'), 'a ZIP file'],
    ['a.png', Buffer.from('89504e470d0a1a0a0000000d494844520000000100000001', 'hex'), 'a PNG file'],
    ['a.jsonl', Buffer.from('89504e470d0a1a0a0000000d494844520000000100000001', 'hex'), 'a PNG file'],
    ['a.jpg', Buffer.from('ffd8ffe000104a46494600', 'hex'), 'a JPG file'],
  ])('%s is refused by its kind', async (source, content, detail) => {
    expect(await read(source, content)).toEqual([{ source, skipped: 'binary', detail }]);
  });

  it.each([
    ['nothing', '', 'empty'],
    ['blanks', ' \n\t ', 'empty'],
    ['NUL bytes', 'a\0b', 'notText'],
    ['Latin-1', Buffer.from('caf\xe9', 'latin1'), 'notText'],
    ['nothing but markup', '<!doctype html><script>var x = 1;</script>', 'empty'],
  ])('with %s is no document', async (_, content, skipped) => {
    expect(skips(await read('a.txt', content))).toEqual([skipped]);
  });

  it('is read as UTF-16 where it says so', async () => {
    const mark = Buffer.from([0xff, 0xfe]);
    const text = 'id\ttext\r\n1\tgrüße 😀\r\n';
    expect(await read('a.tsv', Buffer.concat([mark, Buffer.from(text, 'utf16le')]))).toEqual([
      { source: 'a.tsv#1', text: 'grüße 😀' },
    ]);
  });

  it('of HTML is taken as people read it', async () => {
    const html =
      '<html><head><title>A &amp; B</title><style>p{}</style></head><body><p>One <b>bo</b>ld<p>Two&nbsp;x<br>y<script>if (a<b) x()</script><table><tr><td>c</td><td>d</td></tr></table></body></html>';
    for (const name of ['a.html', 'a.HTM', 'page'])
      expect(texts(await read(name, html))).toEqual(['A & B\n\nOne bold\n\nTwo x\ny\n\nc d']);
    expect(texts(await read('a.md', 'if a <b> c'))).toEqual(['if a <b> c']);
  });
});
