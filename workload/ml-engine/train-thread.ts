import { parentPort, workerData } from 'node:worker_threads';
import { trainShare } from '../../lib/training/models/vectors/skip-gram-steps.ts';
import { shareOf, ThreadControl, type ThreadOrders } from './threads.ts';

/** One more thread of a training: waits for chunks and trains its share of each. */
const { orders, thread } = workerData as { readonly orders: ThreadOrders; readonly thread: number };
const control = new ThreadControl(orders);
const share = shareOf(orders, control, thread);
parentPort?.postMessage('ready');
try {
  for (let turns = 0, chunk = control.next(0); chunk; turns += 1, chunk = control.next(turns))
    trainShare(share, chunk.place, chunk.rate);
} catch (error) {
  control.fail();
  throw error;
}
