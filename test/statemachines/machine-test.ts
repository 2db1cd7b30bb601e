import { readFileSync } from 'node:fs';
import { intrinsicName, resolveIntrinsics } from '../../local/asl/definition/resolve-intrinsics.ts';
import { type AslResult, runDefinition } from '../../local/asl/runner/run-definition.ts';

/** What a state answers: its calls in order. A function is a result, an error's name fails; the last answer stays. */
export type Answer = { readonly returns: unknown } | { readonly throws: string; readonly cause?: string };

/** One way through a machine. */
export interface Way extends AslResult {
  /** States entered, in order. */
  readonly path: readonly string[];
  /** Calls made, by state. */
  readonly calls: Readonly<Record<string, number>>;
  /** Seconds of virtual time from start to end. */
  readonly seconds: number;
}

const start = Date.parse('2026-11-24T02:00:00Z');

/** A machine of statemachines/, its intrinsics turned into names. */
export function machineOf(name: string): Record<string, unknown> {
  const text = readFileSync(`statemachines/${name}.asl.json`, 'utf8');
  return resolveIntrinsics(JSON.parse(text), intrinsicName) as Record<string, unknown>;
}

/**
 * "Given this input and these task results, the machine takes this path and ends so": runs a machine under virtual time,
 * every Task answering from `answers` by state name (`{returns: {}}` where nothing is said).
 */
export async function walk(
  definition: unknown,
  input: unknown,
  answers: Readonly<Record<string, readonly Answer[]>> = {},
): Promise<Way> {
  const calls: Record<string, number> = {};
  const result = await runDefinition({
    definition,
    input,
    startAt: start,
    mock: (state) => {
      const mine = answers[state];
      const call = calls[state] ?? 0;
      calls[state] = call + 1;
      const answer = mine?.[Math.min(call, mine.length - 1)] ?? { returns: {} };
      if ('throws' in answer) return { Throw: { Error: answer.throws, Cause: answer.cause ?? '' } };
      return { Return: answer.returns as never };
    },
  });
  const path = result.history
    .filter((event) => event.type.endsWith('StateEntered'))
    .map((event) => (event['stateEnteredEventDetails'] as { name: string }).name);
  const last = result.history.at(-1);
  return { ...result, path, calls, seconds: last ? (Date.parse(last.timestamp) - start) / 1000 : 0 };
}

/** A Lambda's answer as the state sees it. */
export const payload = (value: unknown): Answer => ({ returns: { Payload: value } });

/** `times` failures and then the answer. */
export function failing(times: number, error: string, then: Answer = { returns: {} }): Answer[] {
  return [...Array<Answer>(times).fill({ throws: error }), then];
}
