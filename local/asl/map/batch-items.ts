import { largestBatch, longestBatch } from '../definition/bounds.ts';
import type { ItemBatcher } from '../definition/machine.ts';
import type { Scope } from '../jsonata/expression.ts';
import { evaluateNumber } from '../jsonata/template.ts';
import { AslFailure, statesErrors } from '../model/failure.ts';
import type { Json } from '../model/json.ts';
import { exceeds, textWeights } from '../model/measure.ts';
import type { Steps } from '../threads/state-context.ts';

/**
 * Items in batches of at most so many items and bytes, whichever is reached first. An item that is too large for a batch
 * of its own is `States.ItemReaderFailed`.
 */
export function* batchItems(
  batcher: ItemBatcher,
  scope: Scope,
  items: readonly Json[],
  name: string,
): Steps<readonly Json[]> {
  const { maxItems, maxBytes, batchInput } = batcher;
  const size = { min: 1, max: longestBatch };
  const bytes = { min: 1, max: largestBatch };
  const most = maxItems ? yield* evaluateNumber(maxItems, scope, size) : longestBatch;
  const heaviest = maxBytes ? yield* evaluateNumber(maxBytes, scope, bytes) : largestBatch;
  const extra = batchInput ? { BatchInput: yield* batchInput.evaluate(scope) } : {};
  if (exceeds(extra, heaviest, textWeights))
    throw new AslFailure(statesErrors.itemReader, `The BatchInput of state "${name}" fills a batch alone.`);
  const empty = Buffer.byteLength(JSON.stringify({ ...extra, Items: [] }));
  const batches: { readonly Items: Json[] }[] = [];
  let current: { readonly Items: Json[] } | undefined;
  let weight = 0;
  for (const item of items) {
    const own = Buffer.byteLength(JSON.stringify(item));
    if (empty + own > heaviest)
      throw new AslFailure(
        statesErrors.itemReader,
        `An item of state "${name}" does not fit into a batch of ${heaviest} bytes.`,
      );
    // A comma stands between two items.
    if (!current || current.Items.length >= most || weight + 1 + own > heaviest) {
      current = { ...extra, Items: [] };
      batches.push(current);
      weight = empty + own;
    } else weight += 1 + own;
    current.Items.push(item);
  }
  return batches;
}
