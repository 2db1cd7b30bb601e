import { dirname, join } from 'node:path';
import type { Clock } from '../lib/ports/clock.ts';
import type { Log } from '../lib/ports/log.ts';
import type { JobRef, JobSpec } from '../lib/training/attempts/job.ts';
import type { OutsideConditions } from './host/outside.ts';
import { CacheAccess } from './jobs/cache-access.ts';
import { confined, findBubblewrap } from './jobs/confine.ts';
import type { JobListener, LocalJobRunner, ProcessJobRunnerOptions } from './jobs/local-job-runner.ts';
import { ProcessJobRunner } from './jobs/process-job-runner.ts';
import { diskRoom } from './jobs/room-watch.ts';
import type { JobCommand } from './jobs/start-job.ts';
import type { StrayWrites } from './jobs/stray-writes.ts';
import { workloadCommand } from './jobs/workload-command.ts';
import type { RuntimeOptions } from './runtime-types.ts';
import { readKey } from './stores/key-file.ts';
import type { StateDirectory } from './stores/state-directory.ts';
import type { HostPlace } from './workloads/host-workloads.ts';

/** What jobs run in. */
export interface JobSurroundings {
  readonly options: RuntimeOptions;
  readonly state: StateDirectory;
  readonly clock: Clock;
  readonly log: Log;
  readonly outside: OutsideConditions;
  readonly workloads: HostPlace;
  readonly strays: StrayWrites;
}

const usesCache = ({ stage }: Pick<JobSpec, 'stage'>) => stage === 'cache';

/** Makes the tenant's user of Redis before a cache stage is taken, where there is a Redis. */
class AdmittingJobRunner extends ProcessJobRunner {
  readonly #cache: CacheAccess | undefined;
  readonly #log: Log;

  constructor(cache: CacheAccess | undefined, options: ProcessJobRunnerOptions) {
    super(options);
    this.#cache = cache;
    this.#log = options.log;
  }

  override async submit(spec: JobSpec): Promise<JobRef> {
    const why = usesCache(spec) ? await this.#cache?.admit(spec) : undefined;
    if (why !== undefined)
      this.#log.warn('Redis made no user for the cache stage', { jobName: spec.jobName, why });
    return super.submit(spec);
  }
}

/** Confines jobs of workloads other than Epsilon's own, where bubblewrap is there; the log says where it is not. */
function confining({ options, state, log }: JobSurroundings) {
  let found: { readonly bubblewrap: string | undefined } | undefined;
  const find = () => {
    const bubblewrap = findBubblewrap(options.variables);
    if (bubblewrap === undefined)
      log.warn('jobs are not confined: they may read and write what this user may (bubblewrap is not used)');
    return { bubblewrap };
  };
  return (command: JobCommand, spec: JobSpec, jobFolder: string): JobCommand => {
    if (command.image === undefined) return command;
    found ??= find();
    if (found.bubblewrap === undefined) return command;
    const temporary = options.variables['TMPDIR'] ?? '/tmp';
    const place = { stateDir: state.path, objectsRoot: state.objects, jobFolder, temporary };
    return confined(found.bubblewrap, command, spec, place);
  };
}

/** The runner of a control plane on this host: the one that was handed in, or one whose jobs are processes. */
export function openJobRunner(surroundings: JobSurroundings, onObservation: JobListener): LocalJobRunner {
  const { options, state, clock, log, outside, workloads, strays } = surroundings;
  if (options.makeRunner) return options.makeRunner(onObservation);
  const confine = confining(surroundings);
  const { REDIS_URL: cacheUrl } = options.variables;
  const cache = cacheUrl
    ? new CacheAccess(cacheUrl, () => readKey(join(state.path, 'keys/cache')))
    : undefined;
  return new AdmittingJobRunner(cache, {
    root: state.jobs,
    clock,
    log,
    variables: options.variables,
    ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
    command: (spec, { resultPath }) => {
      const open = workloadCommand(spec, { ...workloads, resultPath, objectsRoot: state.objects });
      const command = confine(open, spec, dirname(resultPath));
      if (!cache || !usesCache(spec)) return command;
      return { ...command, env: { ...command.env, REDIS_URL: cache.urlOf(spec) } };
    },
    onObservation,
    strays,
    room: diskRoom(state.path, outside),
  });
}
