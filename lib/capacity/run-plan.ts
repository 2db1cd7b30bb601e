import { type Resources, type StageName, type StageSeconds, stageNames, stages } from '../training/stages.ts';
import { startSeconds } from './durations.ts';
import { type Asking, type QueueName, queueOf } from './queues.ts';

/** A stretch of a run in which it asks for the same resources; deploy and cache are one. */
export interface Phase extends Resources {
  readonly seconds: number;
}

/** What a night knows of one run before it begins. Times are seconds since the night's beginning. */
export interface RunPlan {
  readonly tenantId: string;
  readonly queue: QueueName;
  readonly priority: number;
  readonly deadline: number;
  readonly phases: readonly Phase[];
  /** Seconds of all phases. */
  readonly seconds: number;
}

/** Stages that run side by side; every other stage runs alone. */
const together: readonly StageName[] = ['deploy', 'cache'];

/** The stages of each phase of a run, in its order. */
export const phaseStages: readonly (readonly StageName[])[] = [
  ...stageNames.filter((stage) => !together.includes(stage)).map((stage) => [stage]),
  together,
];

/** What one stage's job asks for: the tenant's override, else the catalogue's. */
function requestOf(tenant: Asking, stage: StageName): Resources {
  const { cpu, memoryMiB } = tenant.resources[stage] ?? stages[stage].resources;
  // Batch places on whole vCPUs.
  return { cpu: tenant.backend === 'batch' ? Math.max(1, Math.ceil(cpu)) : cpu, memoryMiB };
}

/** Whether a run fits a room at all: no stage is larger than the whole of it. */
export function isTooLarge(tenant: Asking, room: Resources): boolean {
  return stageNames.some((stage) => {
    const { cpu, memoryMiB } = requestOf(tenant, stage);
    return cpu > room.cpu || memoryMiB > room.memoryMiB;
  });
}

/** A tenant's run as the model of capacity sees it. */
export function planOf(
  tenant: Asking & { readonly priority: number },
  seconds: StageSeconds,
  deadline: number,
): RunPlan {
  const phases = phaseStages.map((names): Phase => {
    const asked = names.map((stage) => requestOf(tenant, stage));
    return {
      cpu: asked.reduce((sum, { cpu }) => sum + cpu, 0),
      memoryMiB: asked.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0),
      seconds: startSeconds + Math.max(...names.map((stage) => seconds[stage])),
    };
  });
  const { tenantId, priority } = tenant;
  return {
    tenantId,
    priority,
    deadline,
    queue: queueOf(tenant),
    phases,
    seconds: phases.reduce((sum, phase) => sum + phase.seconds, 0),
  };
}

/** What a run asks for on average over its length. */
export function meanRequest({ phases, seconds }: Pick<RunPlan, 'phases' | 'seconds'>): Resources {
  const mean = (of: (phase: Phase) => number) =>
    seconds === 0 ? 0 : phases.reduce((sum, phase) => sum + of(phase) * phase.seconds, 0) / seconds;
  return { cpu: mean(({ cpu }) => cpu), memoryMiB: mean(({ memoryMiB }) => memoryMiB) };
}
