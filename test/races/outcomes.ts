import type { Outcome } from './actors.ts';

const write: readonly Outcome[] = ['done', 'refused', 'lost', 'dies before', 'dies after'];
const read: readonly Outcome[] = ['done', 'refused'];

/** Whether a call of a port may change something. */
export function isWrite(label: string): boolean {
  return !/\.(get|list|latest|describe|observe|find|heartbeat|resolve|live)/.test(label);
}

/**
 * How a call may end. A process that dies at a call which changes nothing leaves what it left when it died after its last
 * write, so that dying is offered at writes only.
 */
export function outcomesOf(label: string): readonly Outcome[] {
  return isWrite(label) ? write : read;
}
