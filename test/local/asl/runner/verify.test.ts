import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../../../local/asl/runner/recorded-history.ts';
import { verifyRecordings } from '../../../../local/asl/runner/verify.ts';
import { freshDir, invoke, machine, makeBench, midnight } from '../harness.ts';

const definition = machine({
  First: invoke('work', {
    Retry: [{ ErrorEquals: ['Flaky'], IntervalSeconds: 5 }],
    Assign: { n: '{% $states.result.Payload.n %}' },
    Next: 'Late',
  }),
  Late: invoke('never', {
    TimeoutSeconds: 60,
    Catch: [{ ErrorEquals: ['States.Timeout'], Output: {}, Next: 'Both' }],
    Next: 'Both',
  }),
  Both: {
    Type: 'Parallel',
    Branches: [{ StartAt: 'B', States: { B: { Type: 'Pass', Output: '{% $n * 2 %}', End: true } } }],
    End: true,
  },
});

/** A history as GetExecutionHistory of another account would give it. */
async function record(): Promise<RecordedEvent[]> {
  let calls = 0;
  const bench = makeBench({
    functions: {
      work: () => {
        calls += 1;
        if (calls > 1) return { n: 21 };
        throw Object.assign(new Error('again'), { name: 'Flaky' });
      },
      never: () => new Promise(() => {}),
    },
  });
  const done = await bench.run(definition, { a: 1 });
  expect(done).toMatchObject({ status: 'SUCCEEDED', output: [42] });
  const events = await bench.engine.getExecutionHistory(done.executionArn);
  const text = JSON.stringify(events)
    .replaceAll('arn:aws:iam::000000000000:role/embedded', 'arn:aws:iam::123456789012:role/other')
    .replaceAll('"region":"local"', '"region":"eu-west-1"')
    .replaceAll('2026-11-24', '2025-01-31');
  return JSON.parse(text) as RecordedEvent[];
}

function save(folder: string, files: Record<string, unknown>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(value));
}

describe('a recorded execution', () => {
  it('comes out the same: the Tasks answer what the history says, time-outs and retries included', async () => {
    const [folder, events] = [freshDir(), await record()];
    save(join(folder, 'one'), {
      'machine.asl.json': definition,
      'history.json': { events: events.toReversed() },
    });
    expect(await verifyRecordings(folder, midnight)).toEqual([
      { name: 'one', verdict: 'same', events: events.length },
    ]);
    expect(await verifyRecordings(join(folder, 'one'), midnight)).toHaveLength(1);
  });

  it.each([
    [
      'another output',
      (events: RecordedEvent[]) => JSON.parse(JSON.stringify(events).replace('[42]', '[43]')),
      /ParallelStateExited/,
    ],
    [
      'another order',
      (events: RecordedEvent[]) =>
        events.map((event) => (event.id === 4 ? { ...event, previousEventId: 1 } : event)),
      /TaskStarted/,
    ],
    [
      'an event more',
      (events: RecordedEvent[]) => [...events, { id: events.length + 1, type: 'More' }],
      /More/,
    ],
    ['an event less', (events: RecordedEvent[]) => events.slice(0, -1), /ExecutionSucceeded/],
  ])('with %s differs, and says where first', async (_, change, type) => {
    const folder = freshDir();
    const events = await record();
    save(join(folder, 'one'), { 'machine.asl.json': definition, 'history.json': change(events) });
    const [verdict] = await verifyRecordings(folder, midnight);
    expect(verdict).toMatchObject({ verdict: 'differs' });
    expect(JSON.stringify(verdict)).toMatch(type);
  });

  it('of a machine that does not run here is refused with every fault', async () => {
    const folder = freshDir();
    const other = { StartAt: 'S', States: { S: { Type: 'Pass', ResultPath: '$', End: true } } };
    save(join(folder, 'path'), {
      'machine.asl.json': other,
      'history.json': [{ id: 1, type: 'ExecutionStarted' }],
    });
    expect(await verifyRecordings(folder, midnight)).toEqual([
      {
        name: 'path',
        verdict: 'refused',
        faults: [expect.stringContaining('QueryLanguage'), expect.stringContaining('ResultPath')],
      },
    ]);
  });

  it.each([
    ['nothing in it', {}, /holds no recording/],
    ['a history that is none', { 'machine.asl.json': definition, 'history.json': {} }, /GetExecutionHistory/],
    [
      'no input',
      { 'machine.asl.json': definition, 'history.json': [{ id: 1, type: 'X' }] },
      /no input\.json/,
    ],
  ])('with %s is an error', async (_, files, message) => {
    const folder = freshDir();
    save(folder, files);
    await expect(verifyRecordings(folder, midnight)).rejects.toThrow(message);
  });
});
