import { globSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadLocalService } from '../../../local/declaration/local-service.ts';
import { askingOf, partUseOf } from './part-use.ts';
import { projectProgram } from './program.ts';

const declared = [...loadLocalService('.', {}).service.functions.values()].map(({ key, file }) => ({
  key,
  file: relative(resolve('.'), file),
}));
/** Functions that touch nothing of AWS: what they are told is counted. */
const countsOnly = new Set(['noteCapacityFailure']);
const operations = globSync('lib/operations/*/*.ts');

const finishRun = readFileSync('functions/training/finish-run.ts', 'utf8');
/** `finishRun`, which uses awsStores and awsEvents, with a change; the change must be one. */
function changed(from: string | RegExp, to: string): string {
  const text = finishRun.replace(from, to);
  if (text === finishRun) throw new Error(`functions/training/finish-run.ts has no ${String(from)}.`);
  return text;
}
const withParts = (names: string) =>
  changed('[awsStores, awsEvents]', `[${names}]`).replace(
    'import { awsEvents,',
    'import { awsBatch, awsEvents, awsKubernetes, awsNotifier,',
  );
const withBody = (body: string) => changed(/export function createFinishRun[\s\S]*?\n}\n/, `${body}\n`);

const planted = {
  'functions/training/unused.ts': withParts('awsStores, awsNotifier, awsEvents, awsBatch'),
  'functions/training/one-backend.ts': withBody(
    `export function createFinishRun(ports: Wired<typeof aws>) {
      return async () => ports.jobs.batch?.find(String(ports.runs)) ?? ports.events;
    }`,
  )
    .replace('[awsStores, awsEvents]', '[awsStores, awsEvents, awsBatch, awsKubernetes]')
    .replace('import { awsEvents,', 'import { awsBatch, awsEvents, awsKubernetes,'),
  'functions/training/kept.ts': withBody(
    `export function createFinishRun(ports: Wired<typeof aws>) {
      const kept = ports;
      return async () => kept;
    }`,
  ),
  'functions/training/no-handler.ts': 'export const handler = 1;\n',
  'lib/operations/runs/greedy.ts': `import type { Ports } from '../../ports/ports.ts';
    type Needed = Pick<Ports, 'runs' | 'images'>;
    export async function greedy(ports: Needed): Promise<unknown> { return ports.runs.getRun('r'); }
`,
};
const program = projectProgram([...declared.map(({ file }) => file), ...operations], planted);

describe('a function', () => {
  it('every declared function is inspected, with its parts and their use', () => {
    expect(declared.length).toBeGreaterThanOrEqual(10);
    for (const { key, file } of declared) {
      const { name, parts, used } = partUseOf(program, file);
      expect(name).toBe(key);
      if (!countsOnly.has(key)) expect(parts, key).not.toEqual([]);
      expect(used.length, key).toBeGreaterThanOrEqual(parts.length);
    }
  });

  it.each(declared)('$key uses something of every part of AWS that it is wired with', ({ file }) => {
    expect(partUseOf(program, file).unused).toEqual([]);
  });

  it('a function that names a part it does not use is found', () => {
    expect(partUseOf(program, 'functions/training/unused.ts')).toMatchObject({
      used: ['clock', 'config', 'events', 'leases', 'metrics', 'runs'],
      unused: ['awsNotifier', 'awsBatch'],
    });
  });

  it('a function that names a backend whose runner it does not use is found', () => {
    expect(partUseOf(program, 'functions/training/one-backend.ts').unused).toEqual(['awsKubernetes']);
  });

  it('the check fails where ports cannot be followed, or where there is no handler', () => {
    expect(() => partUseOf(program, 'functions/training/kept.ts')).toThrow(/kept\.ts:\d+: .*kept = ports/);
    expect(() => partUseOf(program, 'functions/training/no-handler.ts')).toThrow('defineHandler');
    expect(() => partUseOf(program, 'functions/training/none.ts')).toThrow('no functions/training/none.ts');
  });
});

describe('an operation', () => {
  it('every operation that asks for ports is inspected', () => {
    const asking = operations.filter((file) => askingOf(program, file).asked.length > 0);
    expect(asking.length).toBeGreaterThanOrEqual(8);
  });

  it.each(operations)('of %s asks for no port that it does not use', (file) => {
    expect(askingOf(program, file).unused).toEqual([]);
  });

  it('an operation that asks for a port it does not use is found', () => {
    expect(askingOf(program, 'lib/operations/runs/greedy.ts')).toEqual({
      asked: ['images', 'runs'],
      unused: ['images'],
    });
  });
});
