import type { Clock } from '../../lib/ports/clock.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { OutsideConditions } from '../outside.ts';
import type { RuntimeOptions } from '../runtime-types.ts';
import type { StateDirectory } from '../stores/state-directory.ts';
import type { HostPlace } from '../workloads/host-workloads.ts';
import type { JobListener, LocalJobRunner } from './local-job-runner.ts';
import { ProcessJobRunner } from './process-job-runner.ts';
import { diskRoom } from './room-watch.ts';
import { workloadCommand } from './workload-command.ts';

/** What jobs run in. */
export interface JobSurroundings {
  readonly options: RuntimeOptions;
  readonly state: StateDirectory;
  readonly clock: Clock;
  readonly log: Log;
  readonly outside: OutsideConditions;
  readonly workloads: HostPlace;
}

/** The runner of a control plane on this host: the one that was handed in, or one whose jobs are processes. */
export function openJobRunner(surroundings: JobSurroundings, onObservation: JobListener): LocalJobRunner {
  const { options, state, clock, log, outside, workloads } = surroundings;
  if (options.makeRunner) return options.makeRunner(onObservation);
  return new ProcessJobRunner({
    root: state.jobs,
    clock,
    log,
    variables: options.variables,
    ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
    command: (spec, { resultPath }) =>
      workloadCommand(spec, { ...workloads, resultPath, objectsRoot: state.objects }),
    onObservation,
    room: diskRoom(state.path, outside),
  });
}
