import { objectFootprints } from './memory-objects.ts';

/** What a call looks at and what it changes; `*` is everything. */
export interface Footprint {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** Touches nothing that anybody else looks at. */
const nothing: Footprint = { reads: [], writes: [] };

/** May touch anything. */
export const everything: Footprint = { reads: [], writes: ['*'] };

const meets = (some: readonly string[], others: readonly string[]) =>
  some.some((one) =>
    others.some(
      (other) => one === '*' || other === '*' || one === other || isBelow(one, other) || isBelow(other, one),
    ),
  );

/** `run r1/` stands for everything of that run, `run ` for all runs. */
const isBelow = (one: string, whole: string) => /[/ ]$/.test(whole) && one.startsWith(whole);

/** Whether two calls lead to the same state and the same answers in either order. */
export function commute(one: Footprint, other: Footprint): boolean {
  return (
    !meets(one.writes, other.writes) && !meets(one.writes, other.reads) && !meets(one.reads, other.writes)
  );
}

const reads = (...names: string[]): Footprint => ({ reads: names, writes: [] });
const writes = (...names: string[]): Footprint => ({ reads: [], writes: names });

interface Named {
  readonly runId?: string;
  readonly stage?: string;
  readonly attempt?: number;
  readonly tenantId?: string;
  readonly name?: string;
}

const attemptOf = ({ runId, stage, attempt }: Named) => `run ${runId}/${stage}/${attempt}`;
const recordOf = (runId: unknown) => `run ${String(runId)}/record`;
const ofTenant = (kind: string, of: unknown) => `${kind} ${String((of as Named).tenantId)}`;

/** What each method of a port touches. What is not listed here may touch anything. */
const known: Readonly<Record<string, (args: readonly unknown[]) => Footprint>> = {
  'runs.getRun': ([runId]) => reads(recordOf(runId)),
  'runs.createRun': ([run]) => writes(recordOf((run as Named).runId)),
  'runs.updateRun': ([runId]) => writes(recordOf(runId)),
  'runs.getRunWithAttempts': ([runId]) => reads(`run ${String(runId)}/`),
  'runs.listAttempts': ([runId]) => reads(`run ${String(runId)}/`),
  'runs.listRuns': () => reads('run '),
  'runs.listOpenAttempts': () => reads('run '),
  'runs.listRunningRuns': () => reads('run '),
  'runs.getAttempt': ([key]) => reads(attemptOf(key as Named)),
  'runs.changeAttempt': ([key]) => writes(attemptOf(key as Named)),
  'runs.updateAttempt': ([key]) => writes(attemptOf(key as Named)),
  'runs.createAttempt': ([attempt]) => ({
    reads: [`run ${(attempt as Named).runId}/${(attempt as Named).stage}/`],
    writes: [attemptOf(attempt as Named), ofTenant('lease', attempt)],
  }),
  'leases.acquire': ([asked]) => writes(ofTenant('lease', asked)),
  'leases.renew': ([asked]) => writes(ofTenant('lease', asked)),
  'leases.release': ([asked]) => writes(ofTenant('lease', asked)),
  'locks.tryLock': ([asked]) => writes(`lock ${(asked as Named).name}`),
  'locks.unlock': ([asked]) => writes(`lock ${(asked as Named).name}`),
  'imageRecords.find': ([images]) => reads(...(images as readonly string[]).map((image) => `image ${image}`)),
  'imageRecords.put': ([record]) => writes(`image ${(record as { readonly image: string }).image}`),
  'models.register': ([model]) => writes(ofTenant('model', model)),
  'models.listUnaligned': () => reads('live '),
  'models.noteAligned': ([asked]) => writes(ofTenant('live', asked)),
  'models.live': ([tenantId]) => reads(`live ${String(tenantId)}`),
  'models.promote': ([asked]) => ({
    reads: [ofTenant('lease', asked), ofTenant('model', asked)],
    writes: [ofTenant('live', asked)],
  }),
  'callbacks.succeed': () => writes('machine'),
  'callbacks.fail': () => writes('machine'),
  'callbacks.heartbeat': () => writes('machine'),
  'workflows.describe': () => reads('machine'),
  'workflows.list': () => reads('machine'),
  'backend.list': ([name]) => reads(`job ${String(name)}`),
  'backend.describe': () => reads('job '),
  'backend.submit': ([name]) => writes(`job ${String(name)}`),
  'backend.stop': ([name]) => writes(`job ${String(name)}`),
  'events.publish': () => writes('bus'),
  'notifier.notify': () => nothing,
  'images.resolve': () => nothing,
  'objects.get': () => nothing,
  ...objectFootprints,
};

/** What a call of a port touches. */
export function footprintOf(label: string, args: readonly unknown[]): Footprint {
  return known[label]?.(args) ?? everything;
}
