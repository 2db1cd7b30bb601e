import { join } from 'node:path';
import type { JobSpec } from '../../lib/training/attempts/job.ts';
import type { ImageName } from '../../lib/training/stages.ts';
import { type HostPlace, imageOf, namesIn, programOf } from '../workloads/host-workloads.ts';
import type { JobCommand } from './start-job.ts';

/** Where the workloads of this host are, and what a job reads and writes. */
export interface WorkloadPlace extends HostPlace {
  /** File for the job's result. */
  readonly resultPath: string;
  /** Folder of the object store. */
  readonly objectsRoot: string;
}

/**
 * The process that runs a job here: the program of its image. A configured workload's runs as it is now, and the command says which
 * image that is. Errors: those of `imageOf`.
 */
export function workloadCommand(spec: JobSpec, place: WorkloadPlace): JobCommand {
  const { workload, image } = namesIn(spec.image);
  const env = {
    ...spec.environment,
    EPSILON_RESULT_PATH: place.resultPath,
    EPSILON_OBJECTS_ROOT: place.objectsRoot,
  };
  const now = imageOf(place, workload, image as ImageName);
  const program = programOf(place, workload, image as ImageName);
  if (!program || now === undefined) {
    const main = join(place.projectDir, 'workload', image, 'main.ts');
    return { file: process.execPath, args: [main, ...spec.arguments], env };
  }
  return {
    file: program.file,
    args: [...program.args, ...spec.arguments],
    env: { ...program.environment, ...env },
    cwd: program.folder,
    image: now,
  };
}
