import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DrillRound, judgeDrill } from '../../../../lib/backup/drill.ts';
import { SystemClock } from '../../../../lib/system/system-clock.ts';
import { Ledger, lossOf } from '../../../../local/backup/drill/ledger.ts';
import { awaitNewPoint } from '../../../../local/backup/drill/new-point.ts';
import { runDrill } from '../../../../local/backup/drill/run-drill.ts';
import { lastPassedDrill } from '../../../../local/backup/last-drill.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { freshDir } from '../../../fresh-dir.ts';
import { aState } from '../a-state.ts';

const entry = (version: number) => ({ version, at: version * 100 });

describe('the ledger of a drill', () => {
  it('has every write that was acknowledged, in order', () => {
    const ledger = new Ledger(join(freshDir(), 'ledger.jsonl'));
    for (const version of [1, 2, 3]) ledger.add(entry(version));
    expect(ledger.entries().map(({ version }) => version)).toEqual([1, 2, 3]);
    ledger.close();
  });

  it('tells what was lost, and since when', () => {
    const entries = [1, 2, 3, 4].map(entry);
    expect(lossOf(entries, 4, 1_000)).toEqual({ acknowledged: 4, lost: 0, rpoMs: 0 });
    expect(lossOf(entries, 3, 1_000)).toEqual({ acknowledged: 4, lost: 1, rpoMs: 700 });
    expect(lossOf(entries, 0, 1_000)).toEqual({ acknowledged: 4, lost: 4, rpoMs: 900 });
    expect(lossOf([], 0, 1_000)).toEqual({ acknowledged: 0, lost: 0, rpoMs: 0 });
  });
});

describe('the kill of a drill', () => {
  const waiting = (points: () => readonly string[]) => {
    const clock = new VirtualClock(0);
    const repository = { points: async () => points().map((id) => ({ id, fault: '' })) };
    return {
      clock,
      wait: (known: string[]) => awaitNewPoint({ repository, clock, everyMs: 300 }, new Set(known)),
    };
  };

  it('waits for a backup of the control plane that is killed, however late it comes', async () => {
    const found = ['of the round before'];
    const { clock, wait } = waiting(() => found);
    let waited = false;
    const done = wait(['of the round before']).then(() => {
      waited = true;
    });
    await clock.advance(59_000);
    expect(waited).toBe(false);
    found.push('of this one');
    await clock.advance(100);
    await done;
    expect(clock.now()).toBeLessThan(60_000);
  });

  it('does not come where no backup does, and the round has failed', async () => {
    const { clock, wait } = waiting(() => []);
    const refused = expect(wait([])).rejects.toMatchObject({
      code: 'DRILL_FAILED',
      message: 'the drilled control plane made no backup within 60600 ms',
    });
    await clock.advance(61_000);
    await refused;
  });
});

describe('the last drill that passed', () => {
  it('is the newest whose record can be read and says so', () => {
    const folder = freshDir();
    expect(lastPassedDrill(folder)).toBeUndefined();
    mkdirSync(join(folder, 'drills'));
    const write = (name: string, passed: boolean, finishedAt: string, worstRtoMs?: number) =>
      writeFileSync(
        join(folder, 'drills', `${name}.json`),
        JSON.stringify({ finishedAt, verdict: { passed, worstRtoMs } }),
      );
    write('1', true, '2026-11-01T00:00:00.000Z');
    write('2', true, '2026-11-02T00:00:00.000Z', 4_200);
    write('3', false, '2026-11-03T00:00:00.000Z');
    writeFileSync(join(folder, 'drills', '4.json'), '{');
    expect(lastPassedDrill(folder)).toEqual({
      finishedAt: Date.parse('2026-11-02T00:00:00.000Z'),
      recoveryMs: 4_200,
    });
  });
});

describe('a drill', () => {
  it('restores the newest point in isolation, kills the copy, restores it, writes and queries, and fails for being of one round', async () => {
    const state = await aState();
    await state.backUp();
    await state.close();
    const before = readdirSync(state.folder).sort();
    const scratch = mkdtempSync(join(freshDir(), 'scratch-'));
    const rounds: DrillRound[] = [];
    const { record, verdict, file } = await runDrill({
      projectDir: resolve('.'),
      stateDir: state.path,
      variables: {},
      clock: new SystemClock(),
      ids: state.ids,
      rounds: 1,
      everyMs: 300,
      faults: false,
      scratch,
      signal: new AbortController().signal,
      onRound: (round) => rounds.push(round),
      onFault: () => {},
    });
    expect(verdict.reasons).toEqual(['1 rounds; at least 5 count']);
    expect(rounds).toMatchObject([
      { objects: 5, pointers: 5, underWay: 0, model: state.model.modelVersion, answers: 1 },
    ]);
    expect(verdict.worstRtoMs).toBeGreaterThan(0);
    expect(judgeDrill(record)).toEqual(verdict);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      id: record.id,
      verdict: { passed: false },
    });
    expect(readFileSync(file.replace(/json$/, 'html'), 'utf8')).toContain('Round 1: ');
    // The copy has its own repository: that of the state has one record more and the same epoch.
    expect(readdirSync(state.folder).sort()).toEqual(['drills', ...before].sort());
    expect(await state.repository.tenure()).toMatchObject({ epoch: 0 });
    expect(readdirSync(scratch)).toEqual([]);
    rmSync(scratch, { recursive: true });
  }, 60_000);
});
