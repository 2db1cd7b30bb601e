import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkSchema } from '../../../lib/errors/check-schema.ts';

const cases: readonly [schema: z.ZodType, value: unknown, sentence: string][] = [
  [z.int().min(0).max(100), 101, 'must be at most 100, is 101'],
  [z.int().min(0).max(100), -1, 'must be at least 0, is -1'],
  [z.int(), 1.5, 'must be a whole number, is 1.5'],
  [z.int(), '7', 'must be a number, is text'],
  [z.number().lt(1), 1, 'must be less than 1, is 1'],
  [z.number().gt(0), 0, 'must be more than 0, is 0'],
  [z.number().multipleOf(5), 7, 'must be a multiple of 5, is 7'],
  [z.number(), Number.POSITIVE_INFINITY, 'must be a number, is no finite number'],
  [z.coerce.number(), undefined, 'is missing or no number'],
  [z.string(), undefined, 'is missing'],
  [z.string(), null, 'must be text, is null'],
  [z.string().min(1), '', 'must not be empty'],
  [z.string().min(3), 'ab', 'must have at least 3 characters, has 2'],
  [z.string().max(1), 'ab', 'must have at most 1 character, has 2'],
  [z.array(z.string()).length(3), ['a'], 'must have exactly 3 entries, has 1'],
  [z.array(z.string()).max(1), ['a', 'b'], 'must have at most 1 entry, has 2'],
  [z.enum(['on', 'off']), 'of', 'must be one of "on", "off", is "of"'],
  [z.enum(['on', 'off']), 'x'.repeat(61), 'must be one of "on", "off", is text'],
  [z.literal('a'), 1, 'must be "a", is 1'],
  [z.boolean(), 'yes', 'must be true or false, is text'],
  [z.array(z.string()), {}, 'must be a list, is an object'],
  [z.record(z.string(), z.string()), [], 'must be an object, is a list'],
  [z.strictObject({}), { extra: 1 }, 'has the unknown key "extra"'],
  [z.string().regex(/^a$/), 'b', 'must have the form /^a$/'],
  [z.string().regex(/^a$/, 'must be an a'), 'b', 'must be an a'],
  [z.string().startsWith('arn:'), 'x', 'must begin with "arn:"'],
  [z.iso.datetime(), 'yesterday', 'must be a time such as 2026-11-26T02:00:00Z'],
  [z.email(), 'nobody', 'must be an e-mail address'],
  [
    z.union([z.literal(1), z.literal(3)]),
    2,
    'has none of the allowed forms (must be 1, is 2; or must be 3, is 2)',
  ],
  [
    z.record(z.string().regex(/^\d$/), z.string()),
    { x: 'y' },
    'is not allowed as a key: it must have the form /^\\d$/',
  ],
];

/** What the validator calls things, and nobody else. */
const validatorsWords = /Too big|Too small|Invalid|Unrecognized|expected|received|option:/;

describe('a fault of a value under a schema', () => {
  it.each(cases.map(([schema, value, sentence]) => ({ schema, value, sentence })))(
    'is told as "$sentence"',
    ({ schema, value, sentence }) => {
      const checked = checkSchema(schema, value);
      expect(checked).toEqual({ success: false, fault: expect.objectContaining({ sentence }) });
      expect(sentence).not.toMatch(validatorsWords);
    },
  );

  it('a value of the right form is given as the schema makes it', () => {
    expect(checkSchema(z.object({ n: z.coerce.number() }), { n: '3', other: 1 })).toEqual({
      success: true,
      data: { n: 3 },
    });
  });

  it('names the place, and a misspelt key before the key that it leaves missing', () => {
    const schema = z.strictObject({ training: z.strictObject({ maxConcurrency: z.int() }) });
    expect(checkSchema(schema, { training: { maxConcurency: 4 } })).toMatchObject({
      fault: { path: ['training'], unknownKey: 'maxConcurency' },
    });
    expect(checkSchema(schema, { training: { maxConcurrency: 'x' } })).toMatchObject({
      fault: { path: ['training', 'maxConcurrency'] },
    });
  });
});

describe('schemas', () => {
  it('are asked in lib/errors/check-schema.ts alone, so that no other wording reaches people', () => {
    const folders = ['lib', 'local', 'cli', 'functions', 'workload', 'watcher', 'infra'];
    const files = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
        .map((entry) => join(entry.parentPath, entry.name)),
    );
    expect(files.length).toBeGreaterThan(300);
    const asking = files.filter((file) =>
      /safeParse|ZodError|error\.issues/.test(readFileSync(file, 'utf8')),
    );
    expect(asking).toEqual(['lib/errors/check-schema.ts']);
  });
});
