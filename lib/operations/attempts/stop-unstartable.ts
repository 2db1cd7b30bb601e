import type { Ports } from '../../ports/ports.ts';
import { unstartableReason } from '../../training/attempts/stop-reason.ts';
import type { Observed } from './give-up-placement.ts';

type Needed = Pick<Ports, 'jobs' | 'clock' | 'log' | 'metrics'>;

/**
 * Seconds a container may fail to start on its machine before that is final. A registry that is busy while two hundred nodes
 * pull at a time is over it in less; a digest that does not exist never is.
 */
export const startSeconds = 300;

/**
 * Stops jobs that have their machine and cannot be started there, so that they end under that name: no retry and no other
 * capacity would help, and what is wrong is the image or the settings, not the tenant. Their completion comes as
 * `unstartable`. One job's fault never keeps the others waiting. Returns how many it stopped.
 */
export async function stopUnstartable(
  ports: Needed,
  { attempts, jobs }: Pick<Observed, 'attempts' | 'jobs'>,
): Promise<number> {
  const latest = ports.clock.now() - startSeconds * 1000;
  let stopped = 0;
  for (const { jobName, runId, backend, stage } of attempts) {
    const job = jobs.get(jobName);
    if (job?.state !== 'pending' || job.unstartable === undefined) continue;
    if (Date.parse(job.unstartable.since) > latest) continue;
    try {
      await ports.jobs[backend]?.cancel(job, unstartableReason(job.unstartable.why));
      ports.metrics.count('JobsUnstartable', 1, { backend });
      ports.log.warn('job cannot start', { runId, jobName, stage, why: job.unstartable.why });
      stopped += 1;
    } catch (error) {
      ports.metrics.count('ReconcilerFaults', 1);
      ports.log.error('job not stopped', { jobName, error: String(error) });
    }
  }
  return stopped;
}
