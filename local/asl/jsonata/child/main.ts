import type { Evaluation } from '../protocol.ts';
import { Evaluator } from './evaluation.ts';

/** The evaluating process: answers one evaluation at a time, and ends with the process that started it. */
const evaluator = await Evaluator.create();
process.on('disconnect', () => process.exit(0));
process.on('message', (evaluation: Evaluation) => {
  void evaluator.evaluate(evaluation).then((result) => process.send?.(result));
});
process.send?.('ready');
