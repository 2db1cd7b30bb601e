import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

const patienceMs = 600_000;

/** Repeats a question until its answer counts, or the time is over; gives the last answer or error. */
export async function until<T>(ask: () => Promise<T>, counts: (answer: T) => boolean): Promise<T> {
  const end = Date.now() + patienceMs;
  for (;;) {
    try {
      const answer = await ask();
      if (counts(answer) || Date.now() > end) return answer;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await pause(1_000);
  }
}

/** The code or name of the error that something fails with. */
export async function errorOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** A value as JSON has it; the order of keys says nothing. */
const asJson = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));

/** Counts facts, says of each how long after the one before it is known, and keeps those that differ. */
export function facts(version: string) {
  const faults: string[] = [];
  let last = Date.now();
  const found = { compared: 0, faults };
  return {
    found,
    expect: (what: string, seen: unknown, wanted: unknown) => {
      found.compared += 1;
      const agrees = isDeepStrictEqual(asJson(seen), asJson(wanted));
      const seconds = ((Date.now() - last) / 1000).toFixed(1);
      last = Date.now();
      const fault = agrees ? '' : `: ${JSON.stringify(seen)}, wanted ${JSON.stringify(wanted)}`;
      process.stdout.write(`    ${agrees ? 'ok' : 'FAULT'} ${what} (${seconds} s)${fault}\n`);
      if (!agrees) faults.push(`${version}: ${what}${fault}`);
    },
  };
}

/** Notes one fact: what was seen, and what was wanted. */
export type Expect = ReturnType<typeof facts>['expect'];
