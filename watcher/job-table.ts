import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { slimJob, slimPod } from '../lib/kubernetes/cached-fields.ts';
import { type JobFacts, jobFactsOf } from '../lib/kubernetes/job-facts.ts';
import { jobAnnotations, podJobLabel } from '../lib/kubernetes/job-labels.ts';
import { observeJob } from '../lib/kubernetes/observe-job.ts';
import type { Clock } from '../lib/ports/clock.ts';
import { isOver, type JobObservation } from '../lib/training/attempts/job.ts';
import { stopReasonOf } from '../lib/training/attempts/stop-reason.ts';

/** What is reported of a job. */
export interface Report {
  readonly facts: JobFacts;
  readonly observation: JobObservation;
}

/** What a table is made of. */
export interface JobTableOptions {
  readonly clock: Clock;
  /** Called once for each job that is over, and whenever one begins to run. */
  readonly onReport: (report: Report) => void;
  /** Milliseconds in which a job that had ended before the watcher listed is still reported: older ones the reconciler has settled. */
  readonly recentMs?: number;
  /** Milliseconds the end of a job waits for the final state of its pod, which comes by another stream. */
  readonly podGraceMs?: number;
  /** Milliseconds it waits at most while the stream of pods is broken. */
  readonly brokenGraceMs?: number;
}

interface Row {
  readonly uid: string;
  readonly facts: JobFacts;
  job: V1Job;
  readonly pods: Map<string, { readonly pod: V1Pod; readonly gone: boolean }>;
  /** Its turn among the signs of life. */
  readonly turn: number;
  state: JobObservation['state'];
  /** When the job was seen to be over without the final state of its pod, milliseconds. */
  overSince?: number;
}

function isFinal({ pod, gone }: { readonly pod: V1Pod; readonly gone: boolean }): boolean {
  return gone || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/**
 * What is known of the jobs that are not over, and no more: of one that was reported its uid remains, until Kubernetes
 * removes the job. Level-triggered: the same objects in any order, any number of times, lead to the same reports.
 */
export class JobTable {
  readonly #options: JobTableOptions;
  readonly #recentMs: number;
  readonly #podGraceMs: number;
  readonly #brokenGraceMs: number;
  readonly #rows = new Map<string, Row>();
  readonly #reported = new Map<string, string>();
  /** Pods that came before their job. */
  readonly #early = new Map<string, Row['pods']>();
  #turn = 0;
  #podsAreBehind = false;

  constructor(options: JobTableOptions) {
    this.#options = options;
    this.#recentMs = options.recentMs ?? 900_000;
    this.#podGraceMs = options.podGraceMs ?? 2_000;
    this.#brokenGraceMs = options.brokenGraceMs ?? 120_000;
  }

  /** Jobs that are not over, by state. */
  get counts(): { readonly pending: number; readonly running: number } {
    let running = 0;
    for (const { state } of this.#rows.values()) if (state === 'running') running += 1;
    return { pending: this.#rows.size - running, running };
  }

  /** Signs of life of one part of the jobs that are not over; `turns` calls in a row give all of them once. */
  *alive(turn: number, turns: number): Generator<Report> {
    for (const row of this.#rows.values())
      if (row.turn % turns === turn % turns && row.overSince === undefined)
        yield { facts: row.facts, observation: observe(row) };
  }

  job(job: V1Job): void {
    const { name = '', uid = '' } = job.metadata ?? {};
    if (this.#reported.get(name) === uid) return;
    const known = this.#rows.get(name);
    // The same name under another uid: the known job was deleted unseen.
    if (known && known.uid !== uid) this.jobGone(known.job);
    const facts = job.metadata ? jobFactsOf(job.metadata) : undefined;
    if (!facts) return;
    const there = this.#rows.get(name);
    if (there) {
      there.job = slimJob(job);
      this.#judge(name, there);
      return;
    }
    const row = this.#newRow(name, { uid, facts, job: slimJob(job) });
    if (this.#endedLongAgo(row)) this.#close(name, row);
    else this.#judge(name, row);
  }

  /** A job was removed. One that was over is reported so; one that was not is lost, or was stopped by Epsilon. */
  jobGone(job: V1Job): void {
    const name = job.metadata?.name ?? '';
    const row = this.#rows.get(name);
    this.#reported.delete(name);
    this.#early.delete(name);
    if (!row) return;
    row.job = slimJob(job);
    this.#rows.delete(name);
    const last = observe(row);
    const observation = isOver(last.state)
      ? last
      : { ...last, state: 'failed' as const, ...vanished(row.job) };
    this.#options.onReport({ facts: row.facts, observation });
  }

  pod(pod: V1Pod, gone = false): void {
    const job = pod.metadata?.labels?.[podJobLabel];
    const name = pod.metadata?.name;
    if (job === undefined || name === undefined || this.#reported.has(job)) return;
    const row = this.#rows.get(job);
    const pods: Row['pods'] = row?.pods ?? this.#early.get(job) ?? new Map();
    pods.set(name, { pod: slimPod(pod), gone });
    if (row) this.#judge(job, row);
    else if (!gone) this.#early.set(job, pods);
  }

  /** After a new list: jobs that are not on it were removed unseen. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const [name, row] of this.#rows) if (!names.has(name)) this.jobGone(row.job);
    for (const name of this.#reported.keys()) if (!names.has(name)) this.#reported.delete(name);
    for (const name of this.#early.keys()) if (!names.has(name)) this.#early.delete(name);
  }

  /** After a new list of pods: those that are not on it are gone. */
  keepOnlyPods(names: ReadonlySet<string>): void {
    for (const [job, row] of this.#rows) {
      for (const [name, { pod }] of row.pods) if (!names.has(name)) row.pods.set(name, { pod, gone: true });
      this.#judge(job, row);
    }
  }

  /** The stream of pods is broken: an end reported now would lack the result that its pod holds. */
  podsBehind(): void {
    this.#podsAreBehind = true;
  }

  /** The stream of pods is back: what it missed follows at once, so that every end waits its grace from now. */
  podsCurrent(): void {
    if (!this.#podsAreBehind) return;
    this.#podsAreBehind = false;
    const now = this.#options.clock.now();
    for (const row of this.#rows.values()) if (row.overSince !== undefined) row.overSince = now;
  }

  /** Reports the ends that have waited long enough for their pods. Called every second. */
  tick(): void {
    const now = this.#options.clock.now();
    const grace = this.#podsAreBehind ? this.#brokenGraceMs : this.#podGraceMs;
    for (const [name, row] of this.#rows)
      if (row.overSince !== undefined && now - row.overSince >= grace) this.#report(name, row);
  }

  #newRow(name: string, of: Pick<Row, 'uid' | 'facts' | 'job'>): Row {
    this.#turn += 1;
    const row: Row = { ...of, pods: this.#early.get(name) ?? new Map(), turn: this.#turn, state: 'pending' };
    this.#early.delete(name);
    this.#rows.set(name, row);
    return row;
  }

  #judge(name: string, row: Row): void {
    const { state } = observe(row);
    if (isOver(state)) {
      const pods = [...row.pods.values()];
      if (pods.length > 0 && pods.every(isFinal)) this.#report(name, row);
      else row.overSince ??= this.#options.clock.now();
      return;
    }
    const began = state === 'running' && row.state === 'pending';
    row.state = state;
    if (began) this.#options.onReport({ facts: row.facts, observation: observe(row) });
  }

  #endedLongAgo(row: Row): boolean {
    const { state, finishedAt } = observe(row);
    if (!isOver(state) || finishedAt === undefined) return false;
    return this.#options.clock.now() - Date.parse(finishedAt) > this.#recentMs;
  }

  #report(name: string, row: Row): void {
    const observation = observe(row);
    this.#close(name, row);
    this.#options.onReport({ facts: row.facts, observation });
  }

  #close(name: string, row: Row): void {
    this.#rows.delete(name);
    this.#reported.set(name, row.uid);
  }
}

function observe({ job, pods }: Row): JobObservation {
  return observeJob(
    job,
    [...pods.values()].map(({ pod }) => pod),
  );
}

function vanished(job: V1Job): Pick<JobObservation, 'reason' | 'message'> {
  const stopped = job.metadata?.annotations?.[jobAnnotations.stopReason];
  if (stopped !== undefined) return { reason: stopReasonOf(stopped), message: stopped };
  return { reason: 'lost', message: 'The Job was deleted before it was over.' };
}
