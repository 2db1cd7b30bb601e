import type { Scenario } from './scenario.ts';
import { type Director, type Played, play } from './schedule.ts';
import type { StoreKind } from './store-kinds.ts';

/** Options that are not the first one, by step: `3.1,20.5`; everywhere else a schedule takes the first option. */
export function writeChoices(whole: readonly number[]): string {
  return whole.flatMap((option, step) => (option === 0 ? [] : [`${step}.${option}`])).join(',');
}

/** Reads what `writeChoices` wrote; throws for anything else. */
export function readChoices(text: string): number[] {
  const whole: number[] = [];
  for (const choice of text === '' ? [] : text.split(',')) {
    const [, step, option] = /^(\d+)\.(\d+)$/.exec(choice) ?? [];
    if (step === undefined || option === undefined)
      throw new Error(`"${choice}" is no choice: write <step>.<option>, as in 3.1,20.5`);
    while (whole.length < Number(step)) whole.push(0);
    whole[Number(step)] = Number(option);
  }
  return whole;
}

/** Plays a schedule that is known. */
export function replay(scenario: Scenario, kind: StoreKind, whole: readonly number[]): Promise<Played> {
  const director: Director = {
    oneOrder: false,
    choose: (depth, options) => Math.min(whole[depth] ?? 0, options.length - 1),
  };
  return play(scenario, kind, director);
}

/** What shortening came to. */
export interface Shortened {
  readonly played: Played;
  /** Schedules that were tried for it. */
  readonly tried: number;
}

const deviations = (whole: readonly number[]) => whole.filter((option) => option > 0).length;

/**
 * Takes back one choice after the other as long as the same promise is still broken. Undefined when the schedule does not
 * break it when it is played again: then something in it is not determined by its choices.
 */
export async function shorten(
  scenario: Scenario,
  kind: StoreKind,
  { promise, whole }: { readonly promise: string; readonly whole: readonly number[] },
): Promise<Shortened | undefined> {
  let played = await replay(scenario, kind, whole);
  let tried = 1;
  if (played.broken?.promise !== promise) return undefined;
  for (let shorter = true; shorter; ) {
    shorter = false;
    for (let step = played.whole.length - 1; step >= 0; step -= 1) {
      if ((played.whole[step] ?? 0) === 0) continue;
      for (const candidate of [played.whole.with(step, 0), played.whole.toSpliced(step, 1)]) {
        const next = await replay(scenario, kind, candidate);
        tried += 1;
        const fewer = deviations(next.whole) < deviations(played.whole);
        if (next.broken?.promise !== promise || !fewer) continue;
        played = next;
        shorter = true;
        break;
      }
    }
  }
  return { played, tried };
}
