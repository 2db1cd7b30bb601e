import type { Verdict } from '../../backup/cloud/resources.ts';
import { RecoveryFailed, RecoveryOverdue, ResourceBusy } from '../../errors/recovery-errors.ts';
import type { Waiter } from '../../ports/backup/recovery-records.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';

/** Something that a state waits for: how it stands, and how it is begun when it is not there. */
export interface Step {
  /** `<region>/<kind>/<id>`, as the service's events name it. */
  readonly resource: string;
  /** Describes it; nothing else says how it stands. */
  look(): Promise<Verdict>;
  /** Begins it; `ResourceBusy` with the reason when that has to wait. */
  begin(): Promise<void>;
}

type Needed = Pick<Ports, 'recoveryRecords' | 'callbacks' | 'clock' | 'log'>;

/** How a step stands after it was looked at. */
export interface Held {
  readonly state: 'waiting' | 'ready';
  readonly because?: string;
}

/** Answers whoever waits, once; what was answered already is no error. */
async function answer({ recoveryRecords, callbacks, clock }: Needed, waiter: Waiter): Promise<Held> {
  const { taskToken, resource } = waiter;
  await callbacks.succeed(taskToken, { state: 'ready', resource, at: isoNow(clock) });
  await recoveryRecords.endWait(waiter);
  return { state: 'ready' };
}

async function stand(step: Step, overdue: boolean): Promise<Verdict> {
  const found = await step.look();
  if (found.state !== 'absent' || overdue) return found;
  try {
    await step.begin();
  } catch (error) {
    if (error instanceof ResourceBusy) return { state: 'waiting', because: error.message };
    throw error;
  }
  const after = await step.look();
  return after.state === 'absent'
    ? { state: 'waiting', because: 'it was asked for and does not show yet' }
    : after;
}

/**
 * Looks after a state that waits for a step: notes its token first, so that an event that comes at once finds it; begins what is not
 * there; answers when it is. Otherwise the state's own timeout brings it back here, whether an event came or not. Errors:
 * `RecoveryFailed` with the service's word, `RecoveryOverdue` after the deadline.
 */
export async function holdStep(ports: Needed, step: Step, waiter: Waiter): Promise<Held> {
  const { recoveryRecords, clock, log } = ports;
  const { resource, deadline } = waiter;
  await recoveryRecords.wait(waiter);
  const overdue = clock.now() > Date.parse(deadline);
  const found = await stand(step, overdue);
  if (found.state === 'ready') return answer(ports, waiter);
  if (found.state === 'failed') throw new RecoveryFailed(found.because);
  const because = found.state === 'waiting' ? found.because : 'it is not there';
  if (overdue) throw new RecoveryOverdue(resource, deadline, because);
  log.info('waiting', { resource, because, deadline });
  return { state: 'waiting', because };
}

/**
 * What an event brings about: it says only that something may have changed. Who waits is answered when a look says so, also that it
 * failed; an event for which nobody waits changes nothing.
 */
export async function wakeStep(
  ports: Needed,
  step: Pick<Step, 'resource' | 'look'>,
): Promise<Held | undefined> {
  const waiter = await ports.recoveryRecords.waiter(step.resource);
  if (!waiter) return undefined;
  const found = await step.look();
  if (found.state === 'ready') return answer(ports, waiter);
  if (found.state !== 'failed') return { state: 'waiting' };
  const { name: error, message: cause } = new RecoveryFailed(found.because);
  await ports.callbacks.fail(waiter.taskToken, { error, cause });
  await ports.recoveryRecords.endWait(waiter);
  return { state: 'waiting', because: found.because };
}
