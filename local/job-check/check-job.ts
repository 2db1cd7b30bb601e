import { join, resolve } from 'node:path';
import { trainingOf } from '../../lib/config/training-of.ts';
import { referenceWorkload } from '../../lib/config/workloads.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { type StageName, stageNames, stages } from '../../lib/training/stages.ts';
import {
  type HostPlace,
  type HostProgram,
  programOf,
  programOfCommand,
} from '../workloads/host-workloads.ts';
import { StageCheck, type Step } from './check-stage.ts';
import { type CheckedTraining, type CommandOf, Scratch } from './scratch.ts';

/** What is checked: one command as a stage, or every stage of a workload. */
export type Subject =
  | { readonly workload: string }
  | { readonly command: readonly string[]; readonly folder: string; readonly stage: StageName };

/** How a check is made. */
export interface CheckOptions {
  readonly clock: Clock;
  readonly place: HostPlace;
  readonly subject: Subject;
  readonly modelType?: string;
  readonly epochs?: number;
  /** Name of the model's file, of a command alone. */
  readonly model?: string;
  /** Seconds that a job may take. */
  readonly seconds: number;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly grace: number;
  /** When it aborts, the check ends with `INTERRUPTED` and leaves nothing running. */
  readonly signal: AbortSignal;
  /** Leaves the scratch folder. */
  readonly keep: boolean;
  /** Hears of every stage that begins. */
  readonly onStage: (stage: StageName) => void;
}

/** What came of a check. */
export interface CheckReport {
  readonly steps: readonly Step[];
  /** The scratch folder, when it was kept. */
  readonly folder?: string;
}

/** Inputs of a stage come from these, in order. */
function stagesBefore(stage: StageName): StageName[] {
  const needed = new Set(Object.values(stages[stage].inputs));
  return stageNames.filter((name) => needed.has(name));
}

const commandOf =
  (scratch: Scratch, { file, args, folder, environment }: HostProgram): CommandOf =>
  (spec, { resultPath }) => ({
    file,
    args: [...args, ...spec.arguments],
    cwd: folder,
    env: {
      ...environment,
      ...spec.environment,
      EPSILON_RESULT_PATH: resultPath,
      EPSILON_OBJECTS_ROOT: scratch.objects,
    },
  });

function referenceProgram({ projectDir }: HostPlace, stage: StageName): HostProgram {
  const main = join(projectDir, 'workload', stages[stage].image, 'main.ts');
  return { file: process.execPath, args: [main], folder: projectDir, environment: {} };
}

function referenceTraining({ workloads }: HostPlace): CheckedTraining {
  const modelType = Object.keys(workloads[referenceWorkload]?.modelTypes ?? {})[0] ?? '';
  return { ...trainingOf(workloads, { modelType }), modelType };
}

function trainingFor(options: CheckOptions): CheckedTraining {
  const { place, subject, epochs, model, modelType } = options;
  if ('workload' in subject) {
    const first = Object.keys(place.workloads[subject.workload]?.modelTypes ?? {})[0] ?? '';
    const training = epochs === undefined ? {} : { training: { epochs } };
    const choice = { workload: subject.workload, modelType: modelType ?? first, ...training };
    return { ...trainingOf(place.workloads, choice), modelType: choice.modelType };
  }
  const reference = referenceTraining(place);
  return {
    workload: referenceWorkload,
    modelType: modelType ?? reference.modelType,
    epochs: epochs ?? reference.epochs,
    modelFile: model ?? reference.modelFile,
    options: {},
  };
}

/** Runs the stages before one by the reference workload, for their outputs. */
async function makeInputs(scratch: Scratch, options: CheckOptions, stage: StageName): Promise<void> {
  const { place } = options;
  const wanted = scratch.training;
  scratch.training = referenceTraining(place);
  for (const before of stagesBefore(stage)) {
    const spec = scratch.specOf('inputs', before);
    const ended = await scratch.run(spec, commandOf(scratch, referenceProgram(place, before)));
    if (ended.observation.state !== 'succeeded')
      throw new EpsilonError(
        'CHECK_INPUTS_FAILED',
        `The reference workload could not make the inputs of ${stage}: ${ended.lastWords}`,
        { exitCode: exitCodes.backend },
      );
    scratch.outputs = { ...scratch.outputs, [before]: spec.outputUri };
  }
  scratch.training = wanted;
}

async function checkStages(scratch: Scratch, options: CheckOptions): Promise<Step[]> {
  const { subject, place, onStage } = options;
  const steps: Step[] = [];
  const check = async (stage: StageName, program: HostProgram) => {
    onStage(stage);
    const stageCheck = new StageCheck(scratch, stage, commandOf(scratch, program));
    const worked = await stageCheck.all();
    steps.push(...stageCheck.steps);
    return worked;
  };
  if ('workload' in subject) {
    for (const stage of stageNames) {
      const program =
        programOf(place, subject.workload, stages[stage].image) ?? referenceProgram(place, stage);
      if (!(await check(stage, program))) break;
    }
    return steps;
  }
  const program = programOfCommand(subject.command, resolve(subject.folder), place.variables);
  await makeInputs(scratch, options, subject.stage);
  await check(subject.stage, program);
  return steps;
}

/**
 * Runs commands under the job contract in a scratch folder and says what they do against it. Errors: those of `programOf` and
 * `trainingOf`, `CHECK_INPUTS_FAILED`.
 */
export async function checkJob(options: CheckOptions): Promise<CheckReport> {
  const { clock, place, seconds, grace, keep, signal } = options;
  const training = trainingFor(options);
  const scratch = new Scratch(
    { clock, variables: place.variables, seconds, graceMs: grace * 1000, signal },
    training,
  );
  try {
    const steps = await checkStages(scratch, options);
    return { steps, ...(keep ? { folder: scratch.root } : {}) };
  } finally {
    if (!keep) scratch.remove();
  }
}
