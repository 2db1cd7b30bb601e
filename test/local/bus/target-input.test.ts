import { describe, expect, test } from 'vitest';
import type { BusEvent } from '../../../local/bus/envelope.ts';
import { checkTargetInput, targetInputOf } from '../../../local/bus/target-input.ts';

const event: BusEvent = {
  version: '0',
  id: '1',
  source: 'epsilon.jobs',
  'detail-type': 'Job State Change',
  account: '000000000000',
  region: 'local',
  time: '2026-11-24T02:00:00.000Z',
  resources: ['arn:a'],
  detail: { run: 'r-1', 'say "x"': 'quoted', nested: { list: [1, 2] }, text: 'a "b" \\ c' },
};

const transformer = (template: string, paths: Record<string, string> = {}) => ({
  transformer: { template, paths },
});

describe('the input of a target', () => {
  test.each([
    ['the event, when nothing is declared', {}, event],
    ['a constant', { input: '{"a":1}' }, { a: 1 }],
    ['a part', { inputPath: '$.detail.nested.list' }, [1, 2]],
    ['an element', { inputPath: '$.detail.nested.list[1]' }, 2],
    ['nothing, where the part is missing', { inputPath: '$.detail.absent.deep' }, null],
    ['a field with a dash', { inputPath: '$.detail-type' }, 'Job State Change'],
    [
      'a template of values',
      transformer('{"run": <run>, "list": <list>}', { run: '$.detail.run', list: '$.detail.nested.list' }),
      { run: 'r-1', list: [1, 2] },
    ],
    [
      'a template of text',
      transformer('"Run <run> has <list>"', { run: '$.detail.run', list: '$.detail.nested.list' }),
      'Run r-1 has [1,2]',
    ],
    [
      'text with quotes, kept whole',
      transformer('{"a": "<text>", "b": <text>}', { text: '$.detail.text' }),
      { a: 'a "b" \\ c', b: 'a "b" \\ c' },
    ],
    [
      'an escaped quote before a value',
      transformer('{"a": "\\"<run>\\""}', { run: '$.detail.run' }),
      { a: '"r-1"' },
    ],
    [
      'null and empty text, where a value is missing',
      transformer('{"a": <x>, "b": "-<x>-"}', { x: '$.detail.absent' }),
      { a: null, b: '--' },
    ],
    [
      'the reserved names',
      transformer('{"all": <aws.events.event>, "at": <aws.events.event.ingestion-time>}'),
      { all: event, at: event.time },
    ],
  ])('%s', (_, declared, expected) => {
    checkTargetInput(declared);
    expect(targetInputOf(declared, event)).toEqual(expected);
  });

  test('a value cannot change the structure of the input', () => {
    const evil = { ...event, detail: { run: '", "admin": true, "x": "' } };
    const made = targetInputOf(transformer('{"run": "<run>"}', { run: '$.detail.run' }), evil);
    expect(made).toEqual({ run: '", "admin": true, "x": "' });
  });
});

describe('a target input that is refused when it is declared', () => {
  test.each([
    ['two forms at once', { input: '{}', inputPath: '$.detail' }, 'only one'],
    ['a constant that is not JSON', { input: '{a}' }, 'not JSON'],
    ['a path that filters', { inputPath: '$.detail[?(@.x)]' }, 'not a path'],
    ['a template with an unknown name', transformer('{"a": <b>}'), '<b>'],
    ['a template that is not JSON', transformer('{"a": <b>', { b: '$.id' }), 'not JSON'],
    ['a name that is reserved', transformer('{}', { 'aws.x': '$.id' }), 'reserved'],
  ])('%s', (_, declared, message) => {
    expect(() => checkTargetInput(declared)).toThrow(
      expect.objectContaining({ code: 'TARGET_INPUT_INVALID' }),
    );
    expect(() => checkTargetInput(declared)).toThrow(message);
  });
});
