import { describe, expect, it } from 'vitest';
import { dynamoKind } from './dynamo-kind.ts';
import { Guards } from './guards.ts';
import { memoryKind } from './memory-kind.ts';
import { portsOf } from './ports.ts';
import { walk } from './random-walks.ts';
import { readChoices, replay, shorten, writeChoices } from './replay.ts';
import type { Scenario } from './scenario.ts';
import { scenarioOf } from './scenarios.ts';
import { search } from './search.ts';
import { conditionsOf, knownOf, survey, takeOut } from './survey.ts';

const now = () => process.cpuUsage().user / 1000;
const bounds = { preemptions: 2, faults: 1 };
const memory = () => memoryKind(new Guards());
const everywhere = { bounds: { preemptions: 99, faults: 1 }, limitMs: 60_000, now };

/** A scenario whose only actors are these. */
const of = (...works: ((ports: ReturnType<typeof portsOf>) => Promise<unknown>)[]): Scenario => ({
  name: 'made for a test',
  about: 'made for a test',
  backend: 'host',
  retries: 0,
  limits: {},
  prepare: async (trial) => {
    for (const work of works) trial.spawn('Actor', (actor) => work(portsOf(trial, actor)));
  },
});

describe('the explorer of interleavings', () => {
  it('plays the same schedule twice alike, on either kind of stores', async () => {
    for (const kind of [memory, () => dynamoKind(new Guards())]) {
      const first = await replay(scenarioOf('stop-redrive'), kind(), [0, 0, 3]);
      const second = await replay(scenarioOf('stop-redrive'), kind(), first.whole);
      expect(second.trace).toEqual(first.trace);
      expect(first.trace.length).toBeGreaterThan(5);
    }
  });

  it.each([
    { name: 'edit-twice', bounds: { preemptions: 99, faults: 1 } },
    { name: 'judge-twice', bounds: { preemptions: 99, faults: 1 } },
    { name: 'entry-retry-pass on host', bounds: { preemptions: 2, faults: 0 } },
  ])('loses no end of a schedule by its reductions: $name', { timeout: 60_000 }, async ({ name, bounds }) => {
    const options = { bounds, limitMs: 60_000, now };
    const reduced = await search(scenarioOf(name), memory(), options);
    const whole = await search(scenarioOf(name), memory(), { ...options, reduce: false });
    expect([reduced.complete, whole.complete]).toEqual([true, true]);
    expect(reduced.schedules).toBeLessThan(whole.schedules);
    expect([...reduced.ends].sort()).toEqual([...whole.ends].sort());
  });

  it('finds a condition that was taken out, and keeps quiet while it is there', async () => {
    const scenarios = ['edit-twice', 'judge-twice', 'claim-twice'].map(scenarioOf);
    const effort = { bounds, limitMs: 60_000, now };
    const surveyed = await survey(scenarios, memoryKind, effort);
    expect(surveyed.flatMap(({ report }) => report.findings)).toEqual([]);
    const lost = conditionsOf(surveyed).filter((condition) => condition.lost > 0);
    expect(lost.length).toBeGreaterThanOrEqual(3);
    for (const condition of lost) {
      const { found } = await takeOut(condition, memoryKind, { ...effort, known: knownOf(surveyed) });
      expect(found, condition.name).toBeDefined();
    }
  });

  it('makes a broken schedule short, and plays it again from what it printed', async () => {
    const scenario = scenarioOf('edit-twice');
    const kind = () => memoryKind(new Guards('test put: version'));
    const [finding] = (await search(scenario, kind(), { ...everywhere })).findings;
    if (!finding) throw new Error('nothing was found');
    const short = await shorten(scenario, kind(), finding);
    const again = await replay(scenario, kind(), readChoices(writeChoices(short?.played.whole ?? [])));
    expect(again.broken?.promise).toBe(finding.promise);
    expect(again.trace.length).toBeLessThanOrEqual(finding.trace.length);
  });

  it('plays the same random schedules for the same seed, and others for another', async () => {
    const trace = async (seed: number) => {
      const options = { seed, limitMs: 60_000, maxSchedules: 20, now };
      const { findings } = await walk(scenarioOf('stop-redrive'), memory(), options);
      return JSON.stringify(findings);
    };
    expect(await trace(3)).toBe(await trace(3));
  });

  it('refuses to explore whoever sets a timer or waits for what is no port', async () => {
    const waits = of(async () => new Promise(() => {}));
    await expect(replay(waits, memory(), [])).rejects.toThrow(/waits for something that is no port/);
    const sleeps = of(async ({ clock }) => clock.setTimer(1_000, () => {}));
    const slept = of(async ({ clock, runs }) => {
      await expect(async () => clock.setTimer(1, () => {})).rejects.toThrow(/sets a timer/);
      await runs.getRun('none');
    });
    expect((await replay(sleeps, memory(), [])).broken).toBeUndefined();
    expect((await replay(slept, memory(), [])).broken).toBeUndefined();
  });

  it('refuses choices that are none', () => {
    expect(readChoices('2.1,4.3')).toEqual([0, 0, 1, 0, 3]);
    expect(() => readChoices('2')).toThrow(/is no choice/);
  });
});
