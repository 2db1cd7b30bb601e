import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { faultsOf } from '../../local/asl/definition/compile.ts';
import { invoke, machine, waitForToken } from '../local/asl/harness.ts';
import { tableRows } from './tables.ts';

/** Paths of the engine's test files by their names, whatever room they are in. */
const engineTests = new Map(
  readdirSync('test/local/asl', { recursive: true, encoding: 'utf8' }).map((path) => [
    basename(path),
    join('test/local/asl', path),
  ]),
);

/** Rows of the table under a heading: two cells each. */
const rowsUnder = (heading: string) =>
  tableRows('docs/asl-support.md', heading).map(([first = '', second = '']) => [first, second] as const);

const pass = { Type: 'Pass', End: true };
const fan = (more: Record<string, unknown>, type = 'STANDARD') =>
  machine({
    M: {
      Type: 'Map',
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: type },
        StartAt: 'P',
        States: { P: pass },
      },
      End: true,
      ...more,
    },
  });
const task = (resource: string, Arguments: unknown = {}) =>
  machine({ T: { Type: 'Task', Resource: resource, Arguments, End: true } });
const call = (Arguments: unknown) => task('arn:aws:states:::lambda:invoke', Arguments);
const reader = (resource: string, InputType: string) =>
  fan({
    ItemReader: { Resource: `arn:aws:states:::s3:${resource}`, ReaderConfig: { InputType }, Arguments: {} },
  });
const retry = (...lists: string[][]) =>
  machine({ T: invoke('f', { Retry: lists.map((ErrorEquals) => ({ ErrorEquals })), End: true }) });

/** Definitions for each row of the refusals, by the first words of its first cell. */
const refused: Readonly<Record<string, readonly unknown[]>> = {
  '`QueryLanguage` other': [{ StartAt: 'P', States: { P: { ...pass, Output: {} } } }],
  'a state whose': [machine({ P: { ...pass, QueryLanguage: 'JSONPath' } })],
  'a field of the JSONPath': [
    machine({ P: { ...pass, InputPath: '$' } }),
    machine({ P: { ...pass, Parameters: {} } }),
  ],
  'any field that': [machine({ P: { ...pass, Colour: 'red' } }), machine({ P: pass }, { Colour: 'red' })],
  'other services': [
    'arn:aws:states:::ecs:runTask.sync',
    'arn:aws:states:::http:invoke',
    'arn:aws:states:::aws-sdk:s3:putObject',
    'arn:aws:states:us-east-1:123456789012:activity:a',
    'arn:aws:lambda:us-east-1:123456789012:function:f',
    'arn:aws:states:::states:startExecution.sync',
    'arn:aws:states:::states:startExecution.waitForTaskToken',
  ].map((resource) => task(resource)),
  'an argument that': [call({ FunctionName: 'f', ClientContext: 'x' })],
  '`InvocationType`': [call({ FunctionName: 'f', InvocationType: 'Event' })],
  EXPRESS: [fan({}, 'EXPRESS')],
  'items from `s3:list': [reader('listObjectsV2', 'JSON')],
  'items from manifests': [reader('getObject', 'MANIFEST'), reader('getObject', 'PARQUET')],
  'results written elsewhere': [fan({ ResultWriter: { Resource: 'arn:aws:states:::sqs:x', Arguments: {} } })],
  '`OutputType` JSONL': [fan({ ResultWriter: { WriterConfig: { OutputType: 'JSONL' } } })],
  'a ResultWriter with': [fan({ ResultWriter: {} }), fan({ ResultWriter: { Arguments: { Bucket: 'b' } } })],
  'an ItemBatcher': [fan({ ItemBatcher: { BatchInput: 1 } })],
  '`$eval`': [machine({ P: { ...pass, Output: "{% $eval('1') %}" } })],
  'a state name used': [
    machine({ P: { Type: 'Parallel', Branches: [{ StartAt: 'P', States: { P: pass } }], End: true } }),
  ],
  '`States.ALL` beside': [retry(['States.ALL', 'X'])],
  '`States.ALL` before': [retry(['States.ALL'], ['X'])],
  '`{%`': [machine({ P: { ...pass, Output: '{% 1' } }), machine({ P: { ...pass, Output: '1 %}' } })],
  '`Assign` to `states`': [machine({ P: { ...pass, Assign: { states: 1 } } })],
  '`Assign` to what': [machine({ P: { ...pass, Assign: { 'a-b': 1 } } })],
  'a field of `$states`': [machine({ P: { ...pass, Output: '{% $states.result %}' } })],
  'a name, `$` or': [
    machine({ P: { ...pass, Output: '{% phone %}' } }),
    machine({ P: { ...pass, Output: '{% $ %}' } }),
    machine({ P: { ...pass, Output: '{% $$ %}' } }),
  ],
  'a variable of an outer': [
    machine({
      A: { Type: 'Pass', Assign: { v: 1 }, Next: 'B' },
      B: {
        Type: 'Parallel',
        Branches: [{ StartAt: 'P', States: { P: { ...pass, Assign: { v: 2 } } } }],
        End: true,
      },
    }),
  ],
  'a `Label` used': [
    (() => {
      const { M } = fan({ Label: 'L' }).States as { M: object };
      const { M: N } = JSON.parse(JSON.stringify(fan({ Label: 'L' }).States).replaceAll('"P"', '"Q"')) as {
        M: object;
      };
      return machine({ M: { ...M, End: undefined, Next: 'N' }, N });
    })(),
  ],
  'a value of a type': [
    fan({ ItemReader: 1 }),
    machine({ T: invoke('f', { Arguments: 1, End: true }) }),
    machine({ P: { Type: 'Parallel', Branches: [1], End: true } }),
  ],
  'literal numbers': [
    machine({ W: { Type: 'Wait', Seconds: -1, End: true } }),
    machine({ T: invoke('f', { TimeoutSeconds: 0, End: true }) }),
    fan({ ToleratedFailureCount: 1.5 }),
  ],
  'instants that': [machine({ W: { Type: 'Wait', Timestamp: 'tomorrow', End: true } })],
  'a call without': [call({}), task('arn:aws:states:::sqs:sendMessage', { QueueUrl: 'q' })],
  '`.waitForTaskToken` without': [
    machine({ T: waitForToken('f', { Arguments: { FunctionName: 'f' }, End: true }) }),
  ],
};

describe('docs/asl-support.md', () => {
  it('names a test for every feature, and each of them exists', () => {
    const rows = rowsUnder('Supported');
    expect(rows.length).toBeGreaterThan(35);
    for (const [feature, tests] of rows) {
      for (const named of tests.split('; ')) {
        const [file = '', words = ''] = named.split(/: (.*)/s);
        const path = file.startsWith('test/') ? file : (engineTests.get(`${file}.test.ts`) ?? file);
        expect(existsSync(path), `${feature}: ${path}`).toBe(true);
        expect(words, `${feature}: ${named}`).not.toBe('');
        const text = readFileSync(path, 'utf8').replaceAll("\\'", "'");
        expect(text.includes(words), `${feature}: ${path} has no "${words}"`).toBe(true);
      }
    }
  });

  const rows = rowsUnder('Refused when loaded');

  it('lists every refusal that is tried here, and no other', () => {
    expect(rows).toHaveLength(Object.keys(refused).length);
  });

  it.each(rows)('is right that %s is refused', (what, message) => {
    const key = Object.keys(refused).find((words) => what.startsWith(words));
    const definitions = key === undefined ? [] : (refused[key] ?? []);
    expect(definitions, what).not.toEqual([]);
    for (const definition of definitions) {
      const messages = faultsOf(definition).map((fault) => fault.message);
      expect(messages.join('; '), JSON.stringify(definition)).toContain(message);
    }
  });
});
