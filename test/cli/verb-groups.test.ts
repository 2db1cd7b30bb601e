import { describe, expect, it } from 'vitest';
import { verbGroups, verbOf } from '../../cli/program/verb-groups.ts';
import { call } from './harness.ts';

describe('the help', () => {
  it('says of every verb what its module registers, without loading it', async () => {
    const names = verbGroups.flatMap(({ verbs }) => verbs.map(({ term }) => verbOf(term)));
    const short = await call({}, ['--help']);
    // An argument after `--help` is not looked at, but loads the verb's module.
    const loaded = await call({}, ['--help', ...names]);
    expect(loaded.out).toBe(short.out);
    expect(names.length).toBeGreaterThan(10);
  });

  it('fits 80 columns when it goes to no terminal', async () => {
    const { out } = await call({}, ['--help']);
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('is folded to a narrow terminal', async () => {
    const { out } = await call({ terminal: { moves: true, columns: 50 } }, ['--help']);
    const lines = out.split('\n');
    const verbs = lines.slice(lines.indexOf('Commands:') + 1, lines.indexOf('', lines.indexOf('Commands:')));
    expect(verbs.length).toBeGreaterThan(verbGroups.length);
    expect(verbs.filter((line) => line.length > 50)).toEqual([]);
  });
});
