import { skipReasons } from '../../lib/documents/found.ts';
import type { Attempt } from '../../lib/training/run.ts';

const countIn = (counts: unknown, name: string): number => {
  const value = (counts as Readonly<Record<string, unknown>> | undefined)?.[name];
  return typeof value === 'number' ? value : 0;
};

/** Results of the stages that succeeded; of a stage that was tried again, the last one. */
function resultsOf(
  attempts: readonly Pick<Attempt, 'stage' | 'result'>[],
): Readonly<Record<string, Attempt['result']>> {
  return Object.fromEntries(
    attempts.flatMap(({ stage, result }) => (result === undefined ? [] : [[stage, result] as const])),
  );
}

/**
 * What of a run's data its model does not have, in sentences: documents that were left out by the data stage, and passages that no question
 * finds. Empty where nothing was left out, or where a workload's results do not say.
 */
export function dataNote(attempts: readonly Pick<Attempt, 'stage' | 'result'>[]): string {
  const { prepare, index } = resultsOf(attempts);
  const documents = prepare?.['documents'];
  const left = Object.entries(skipReasons).flatMap(([reason, words]) => {
    const count = countIn(documents, reason);
    return count === 0 ? [] : [`${count} × ${words}`];
  });
  const unknown = countIn(index, 'withoutVector');
  return [
    ...(left.length === 0
      ? []
      : [
          `${countIn(documents, 'used')} of ${countIn(documents, 'found')} documents were used; left out: ${left.join(', ')}.`,
        ]),
    ...(unknown === 0
      ? []
      : [
          `No question finds ${unknown} of ${unknown + countIn(index, 'vectors')} passages: none of their words occurs in the data twice.`,
        ]),
  ].join('\n');
}
