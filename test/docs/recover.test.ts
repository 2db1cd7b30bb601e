import { readFileSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../lib/system/system-clock.ts';
import { systemIds } from '../../lib/system/system-ids.ts';
import { openControl } from '../../local/open-control.ts';
import { call } from '../cli/harness.ts';
import { aState } from '../local/backup/a-state.ts';

const clock = new SystemClock();
const ids = systemIds(clock);

/** Commands that do not end, or take minutes: what they do is tested where they are. */
const elsewhere = new Set(['start', 'drill']);

/** The lines of all blocks of the page. */
function commands(): string[] {
  const blocks = readFileSync('docs/recover.md', 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm);
  // Those that name a language are for AWS.
  return [...blocks].flatMap(([, language, block = '']) => (language === '' ? block.trim().split('\n') : []));
}

describe('docs/recover.md', () => {
  it('has commands that do what it says, in their order', async () => {
    const state = await aState();
    await state.close();
    const run = (words: readonly string[]) =>
      call(
        {
          clock,
          ids,
          variables: { EPSILON_STATE_DIR: state.path },
          open: async (_, options) =>
            (await openControl({ projectDir: '.', stateDir: state.path, variables: {}, clock, ...options }))
              .control,
        },
        words,
      );
    const known = new Map<string, string>();
    const done: string[] = [];
    for (const line of commands()) {
      const [name, ...words] = line.replace(/<(\w+)>/g, (_, key: string) => known.get(key) ?? key).split(' ');
      expect(name, line).toBe('epsilon');
      if (elsewhere.has(words[0] ?? '')) continue;
      if (line.startsWith('epsilon restore --to newest')) rmSync(state.path, { recursive: true });
      const ran = await run(
        words.map((word) =>
          word.startsWith('2026-')
            ? (known.get('taken') ?? '')
            : word.replace('./earlier', `${state.path}-earlier`),
        ),
      );
      // The function that the fixture's machine calls exists in its own test only.
      if (words[0] === 'redrive') expect(ran.err, line).toContain('RUN_FAILED: x ended');
      else
        expect({ code: ran.code, err: ran.err.replace(/^\d+ % .*\n/gm, '') }, line).toEqual({
          code: 0,
          err: '',
        });
      known.set('taken', /holds everything up to (\S+Z)/.exec(ran.out)?.[1] ?? known.get('taken') ?? '');
      known.set('point', /--id (\w+)/.exec(ran.out)?.[1] ?? known.get('point') ?? '');
      known.set('digest', /--approve (\w+)/.exec(ran.out)?.[1] ?? known.get('digest') ?? '');
      known.set('execution', 'm/x');
      done.push(words.slice(0, 2).join(' '));
    }
    expect(done).toEqual([
      'backup run',
      'backup list',
      'backup verify',
      'backup prune',
      'backup prune',
      'restore --to',
      'restore --id',
      'executions',
      'redrive m/x',
      'restore --to',
    ]);
  });
});
