import { join } from 'node:path';
import type { JobSpec } from '../../lib/training/attempts/job.ts';
import type { JobCommand } from './start-job.ts';

/** Where the reference workload of this host is, and what it reads and writes. */
export interface WorkloadPlace {
  /** Folder that has `workload/<image>/main.ts`. */
  readonly projectDir: string;
  /** File for the job's result. */
  readonly resultPath: string;
  /** Folder of the object store. */
  readonly objectsRoot: string;
}

/** The process that runs a job here: the program of its image, without the image's digest. */
export function workloadCommand(spec: JobSpec, place: WorkloadPlace): JobCommand {
  const [image = ''] = spec.image.split('@');
  return {
    file: process.execPath,
    args: [join(place.projectDir, 'workload', image, 'main.ts'), ...spec.arguments],
    env: {
      ...spec.environment,
      EPSILON_RESULT_PATH: place.resultPath,
      EPSILON_OBJECTS_ROOT: place.objectsRoot,
    },
  };
}
