import type { Log } from '../../lib/ports/log.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { contractVersions } from '../../lib/training/attempts/job-contract.ts';
import { sequentialIds } from '../fixtures/sequential-ids.ts';
import type { Actor } from './actors.ts';
import { footprintOf } from './footprint.ts';
import { objectCalls } from './memory-objects.ts';
import { outcomesOf } from './outcomes.ts';
import { config } from './settings.ts';
import { type BusEvent, published } from './surroundings.ts';
import type { Trial } from './trial.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** All ports of one actor: what others can see of a call waits at the gate, the rest is its own affair. */
export function portsOf(trial: Trial, actor: Actor): Ports {
  const through = <T>(label: string, args: readonly unknown[], perform: () => T) =>
    trial.gate<T>(actor, {
      label,
      footprint: footprintOf(label, args),
      outcomes: outcomesOf(label),
      perform,
    });
  const runner = trial.backend.runner(
    (call, jobName, perform) => through(`backend.${call}`, [jobName], perform),
    trial.now,
  );
  const machineOf = (token: string) => trial.machines.find(({ runId }) => token.startsWith(`${runId}/`));
  const answer = (call: string, token: string, perform: () => 'delivered' | 'gone' | undefined) =>
    through(`callbacks.${call}`, [token], () => perform() ?? ('gone' as const));
  return {
    ...trial.stores.of(actor),
    config,
    clock: {
      now: trial.now,
      setTimer: () => {
        throw new Error(`${actor.name} sets a timer: nothing that waits for time can be explored`);
      },
    },
    ids: sequentialIds(actor.name),
    random: () => 0.4,
    log: silent,
    metrics: { count: () => {}, duration: () => {} },
    jobs: { batch: undefined, eks: undefined, local: runner },
    callbacks: {
      succeed: (token: string) => answer('succeed', token, () => machineOf(token)?.succeed(token)),
      fail: (token: string, { error }: { readonly error: string }) =>
        answer('fail', token, () => machineOf(token)?.answerFailure(token, error)),
      heartbeat: (token: string) => answer('heartbeat', token, () => machineOf(token)?.heartbeat(token)),
    },
    workflows: {
      describe: (arn: string) =>
        through('workflows.describe', [arn], () => {
          const { status = 'FAILED', redriveCount = 0 } = trial.machines.find((one) => one.arn === arn) ?? {};
          return { executionArn: arn, status, redriveCount, error: 'JobFailed' };
        }),
      // No other night runs any more when it is asked for: waiting for one must not be what keeps two apart.
      list: (filter: unknown) => through('workflows.list', [filter], () => []),
    },
    events: {
      publish: (events: readonly BusEvent[]) =>
        through('events.publish', [events], () => published(trial, events)),
    },
    notifier: { notify: (message: unknown) => through('notifier.notify', [message], () => undefined) },
    images: {
      resolve: (names: readonly string[]) =>
        through('images.resolve', names, () =>
          Object.fromEntries(names.map((name) => [name, `${name}@sha256:${'a'.repeat(64)}`])),
        ),
      // What an image says of itself never changes, so nobody can come between.
      contractOf: async () => contractVersions,
    },
    // Nothing is restored while schedules are explored.
    recoveryRecords: { epoch: async () => ({ epoch: 0 }) },
    objects: objectCalls(trial.objects, through),
  } as unknown as Ports;
}
