import { findMachine } from '../../lib/machines/catalogue.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { Notifier } from '../../lib/ports/notifier.ts';
import { type DeliveryOptions, deliver, type Message, Refused } from './deliver.ts';
import type { Delivery } from './settings.ts';

/** Longest time of one try, and pauses before the next ones. Milliseconds. */
const longestTry = 10_000;
const pauses = [5_000, 60_000];

/** Messages that wait at a time; what comes on top stays in the log alone. */
const mostWaiting = 100;

const ranks = { info: 0, warning: 1, critical: 2 } as const;

/** Notifies people of this host. */
export interface PeopleNotifier extends Notifier {
  /** Hears of every execution's end, and notifies of nights that failed. */
  ended(detail: Readonly<Record<string, unknown>>): void;
  /** Tries what waits once more, each for at most the time of a try, all for at most that time, and ends. */
  close(): Promise<void>;
}

/** What the notifier is made of. */
interface PeopleNotifierOptions extends Pick<DeliveryOptions, 'cwd' | 'variables'> {
  readonly log: Log;
  readonly clock: Clock;
  readonly delivery: Delivery | undefined;
}

/** What to say of a night that ended so; undefined when people need not know: it succeeded, or an operator stopped it. */
function failedNight(detail: Readonly<Record<string, unknown>>): Message | undefined {
  const { status, name, stateMachineArn, error, cause } = detail;
  const machine = String(stateMachineArn).split(':').at(-1) ?? '';
  if ((status !== 'FAILED' && status !== 'TIMED_OUT') || findMachine(machine)?.outcome !== 'night')
    return undefined;
  const reason = [error, cause].filter((part) => typeof part === 'string' && part !== '').join(': ');
  return {
    severity: 'critical',
    subject: `Night ${String(name)} ${status === 'FAILED' ? 'failed' : 'took longer than it may'}`,
    body: `${reason || 'No cause was given'}. Look at it with: epsilon describe ${machine}/${String(name)}. Go on with: epsilon redrive ${machine}/${String(name)}`,
  };
}

/**
 * Notifies by the log and, one message after the other, by what the configuration names. Nobody waits for a delivery and none of its
 * failures reaches the caller: it is tried three times and then an error in the log.
 */
export function createPeopleNotifier(options: PeopleNotifierOptions): PeopleNotifier {
  const { log, clock, delivery } = options;
  const closing = new AbortController();
  let waiting = 0;
  let queue = Promise.resolve();

  async function pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.setTimer(ms, resolve);
    closing.signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    timer.cancel();
  }

  async function tryOnce(to: Delivery, message: Message): Promise<void> {
    const ending = new AbortController();
    const timer = clock.setTimer(longestTry, () => ending.abort());
    try {
      await deliver(to, message, { ...options, signal: ending.signal });
    } finally {
      timer.cancel();
    }
  }

  /** Never rejects. */
  async function tryAll(to: Delivery, message: Message): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await tryOnce(to, message);
        log.debug('notification delivered', { subject: message.subject, tries });
        return;
      } catch (error) {
        const told = { subject: message.subject, tries, error: (error as Error).message };
        const next = pauses[tries - 1];
        if (next === undefined || error instanceof Refused || closing.signal.aborted) {
          log.error('notification not delivered', told);
          return;
        }
        log.warn('notification will be tried again', told);
        await pause(next);
      }
    }
  }

  async function notify(message: Message): Promise<void> {
    const { subject, body, severity } = message;
    log.warn('notification', { subject, body, severity });
    if (delivery === undefined || ranks[severity] < ranks[delivery.severity]) return;
    if (waiting >= mostWaiting) {
      log.error('notification not delivered', { subject, error: `${waiting} others wait` });
      return;
    }
    waiting += 1;
    queue = queue
      .then(() => tryAll(delivery, { subject, body, severity }))
      .finally(() => {
        waiting -= 1;
      });
  }

  return {
    notify,
    ended: (detail) => {
      const message = failedNight(detail);
      if (message) void notify(message);
    },
    close: async () => {
      closing.abort();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = clock.setTimer(longestTry, resolve);
      await Promise.race([queue, promise]);
      timer.cancel();
      if (waiting > 0) log.error('notifications not delivered', { waiting });
    },
  };
}
