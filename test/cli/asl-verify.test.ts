import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runDefinition } from '../../local/asl/runner/run-definition.ts';
import { freshDir } from '../local/asl/harness.ts';
import { call, epsilon } from './harness.ts';

const machine = (result: unknown) => ({
  QueryLanguage: 'JSONata',
  StartAt: 'P',
  States: { P: { Type: 'Pass', Output: result, End: true } },
});

async function historyOf(definition: unknown): Promise<unknown> {
  const { history } = await runDefinition({ definition, input: { a: 1 }, mock: () => undefined, startAt: 0 });
  return { events: history };
}

/** A folder of recordings: what is to come out, by name. */
async function recordings(...kinds: readonly ('same' | 'differs' | 'refused')[]): Promise<string> {
  const folder = freshDir();
  const recorded = machine('{% $states.input.a %}');
  const definitions = {
    same: recorded,
    differs: machine('{% $states.input.a + 1 %}'),
    refused: { StartAt: 'P', States: { P: { Type: 'Nope' } } },
  };
  for (const kind of kinds) {
    mkdirSync(join(folder, kind));
    writeFileSync(join(folder, kind, 'machine.asl.json'), JSON.stringify(definitions[kind]));
    writeFileSync(join(folder, kind, 'history.json'), JSON.stringify(await historyOf(recorded)));
  }
  return folder;
}

const started = (input: string) => ({
  id: 1,
  type: 'ExecutionStarted',
  executionStartedEventDetails: { input },
});

function recordingOf(...events: readonly unknown[]): string {
  const folder = freshDir();
  writeFileSync(join(folder, 'machine.asl.json'), JSON.stringify(machine(1)));
  writeFileSync(join(folder, 'history.json'), JSON.stringify(events));
  return folder;
}

describe('asl verify', () => {
  it('exits 0 when every recording comes out the same, and says how many events were compared', async () => {
    const folder = await recordings('same');
    expect(await epsilon(undefined, 'asl', 'verify', folder)).toMatchObject({
      code: 0,
      out: 'same     same (4 events)\n',
      err: '',
    });
    // The recording itself may be named too.
    expect(await epsilon(undefined, 'asl', 'verify', join(folder, 'same'))).toMatchObject({ code: 0 });
  });

  it('exits 1 when one differs or is refused, and shows the first event that differs on both sides', async () => {
    const ran = await epsilon(undefined, 'asl', 'verify', await recordings('same', 'differs', 'refused'));
    expect(ran.code).toBe(1);
    const lines = ran.out.split('\n');
    expect(lines[0]).toBe('differs  differs at event 3');
    expect(lines[1]).toMatch(/^ {9}recorded \{.*"output":"1"/);
    expect(lines[2]).toMatch(/^ {9}here {5}\{.*"output":"2"/);
    expect(lines[3]).toBe('refused  refused');
    expect(ran.out).toContain('States.P');
    expect(ran.out).toContain('same     same (4 events)');
    expect(ran.err).toContain('RECORDINGS_DIFFER');
    expect(ran.err).toContain('1 of 3 recordings come out the same; 1 differ, 1 are refused.');
  });

  it('prints counts and verdicts as JSON, whatever the exit code', async () => {
    const ran = await epsilon(
      undefined,
      'asl',
      'verify',
      await recordings('same', 'differs', 'refused'),
      '--json',
    );
    expect(ran.code).toBe(1);
    expect(ran.json()).toMatchObject({
      same: 1,
      differs: 1,
      refused: 1,
      recordings: [
        {
          name: 'differs',
          verdict: 'differs',
          difference: { event: 3, recorded: { id: 3 }, here: { id: 3 } },
        },
        {
          name: 'refused',
          verdict: 'refused',
          faults: expect.arrayContaining([expect.stringContaining('States.P')]),
        },
        { name: 'same', verdict: 'same', events: 4 },
      ],
    });
  });

  it.each([
    ['a folder that is not there', () => '/nowhere'],
    ['a folder without recordings', () => freshDir()],
    [
      'a recording whose history is not JSON',
      () => {
        const folder = freshDir();
        writeFileSync(join(folder, 'machine.asl.json'), JSON.stringify(machine(1)));
        writeFileSync(join(folder, 'history.json'), '{');
        return folder;
      },
    ],
    [
      'a recording without its machine',
      () => {
        const folder = freshDir();
        writeFileSync(join(folder, 'history.json'), '[]');
        return folder;
      },
    ],
    [
      'a file instead of a folder',
      () => {
        const file = join(freshDir(), 'file');
        writeFileSync(file, '');
        return file;
      },
    ],
    ['an input in the history that is not JSON', () => recordingOf(started('{'))],
    [
      'an answer in the history that is not JSON',
      () =>
        recordingOf(started('{}'), {
          id: 2,
          type: 'TaskSucceeded',
          taskSucceededEventDetails: { output: 'cut o' },
        }),
    ],
  ])('exits 2 on %s, and prints no verdict', async (_, folder) => {
    const ran = await epsilon(undefined, 'asl', 'verify', folder());
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain('RECORDING_INVALID');
  });

  it('exits 2 on another target than the local one', async () => {
    const ran = await call({}, ['asl', 'verify', '/nowhere', '--target', 'aws']);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain('TARGET_UNSUPPORTED');
  });
});
