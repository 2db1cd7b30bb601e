import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  type CountName,
  type DurationName,
  type MetricDefinition,
  metricDefinitions,
} from '../lib/metrics/definitions.ts';
import { exposedName, knownLabels } from '../lib/metrics/exposed.ts';
import type { FigureDefinition } from '../lib/metrics/exposition.ts';
import { openWorkOf } from '../lib/monitoring/open-work.ts';
import type { Metrics } from '../lib/ports/metrics.ts';
import type { RunStore } from '../lib/ports/run-store.ts';

/** Figures that only this runtime has: those of its host and, read at each scrape, of its records. */
export const ownFigures = {
  epsilon_state_disk_free_bytes: {
    kind: 'gauge',
    help: 'Bytes free on the file system of the state directory.',
  },
  epsilon_backup_age_seconds: {
    kind: 'gauge',
    help: 'Seconds since the moment that the newest backup holds; -1 while there is none.',
  },
  epsilon_drill_age_seconds: {
    kind: 'gauge',
    help: 'Seconds since a recovery drill passed last; -1 while none has.',
  },
  epsilon_drill_recovery_seconds: {
    kind: 'gauge',
    help: 'Seconds from the kill to the answer in the slowest round of the drill that passed last; -1 while none has.',
  },
  epsilon_queue_age_seconds: {
    kind: 'gauge',
    help: 'Seconds that the job which waits longest for its machine has waited; 0 while none waits.',
  },
  epsilon_stage_time_used_ratio: {
    kind: 'gauge',
    help: 'Part of its time limit that the longest running job of a stage has used; 0 while none runs.',
  },
  epsilon_runs_open: { kind: 'gauge', help: 'Runs of tenants that are on record as running.' },
  epsilon_oldest_run_seconds: {
    kind: 'gauge',
    help: 'Seconds since the oldest run that is on record as running began; 0 while there is none.',
  },
} as const satisfies Readonly<Record<string, FigureDefinition>>;

/** Labels of the figures that have any. */
const labelsOf: Readonly<Partial<Record<keyof typeof ownFigures, readonly string[]>>> = {
  epsilon_queue_age_seconds: ['backend'],
  epsilon_stage_time_used_ratio: ['stage'],
};

/** Bounds of the durations of handlers, in seconds: what Lambda bills, what a function of the table's may take, and its time-outs. */
const buckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60];

/** Counters, durations and gauges of this process, as prom-client shows them on `/metrics`. */
export class LocalMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<CountName, Counter>();
  readonly #durations = new Map<DurationName, Histogram>();
  readonly #gauges = new Map<keyof typeof ownFigures, Gauge>();

  constructor() {
    const registers = [this.#registry];
    for (const [key, definition] of Object.entries<MetricDefinition>(metricDefinitions)) {
      const name = key as CountName | DurationName;
      const labelNames = [...definition.dimensions];
      const of = { name: exposedName(name), help: `Counted when ${definition.help}.`, labelNames, registers };
      if (definition.unit === 'count') this.#counters.set(name as CountName, new Counter(of));
      else this.#durations.set(name as DurationName, new Histogram({ ...of, buckets }));
    }
    for (const [key, { help }] of Object.entries<FigureDefinition>(ownFigures)) {
      const name = key as keyof typeof ownFigures;
      this.#gauges.set(name, new Gauge({ name, help, labelNames: [...(labelsOf[name] ?? [])], registers }));
    }
    this.beginFunctions([]);
  }

  /**
   * Counters begin at 0 for every combination of labels that is known: a rate over a series that begins at 1 would miss its first
   * rise. `functions` are the keys of the functions that may be invoked here.
   */
  beginFunctions(functions: readonly string[]): void {
    for (const [name, { unit, dimensions }] of Object.entries<MetricDefinition>(metricDefinitions))
      for (const labels of knownLabels(dimensions, functions))
        if (unit === 'count') this.count(name as CountName, 0, labels);
  }

  /** Reads the figures of the records as they are now; not a number while they cannot be read. */
  async readRecords(
    runs: Pick<RunStore, 'listRunningRuns' | 'listOpenAttempts'>,
    now: number,
  ): Promise<void> {
    const all = { shard: 0, shards: 1 };
    const began = await runs.listRunningRuns(all).then(
      (open) => open.map(({ startedAt }) => Date.parse(startedAt)),
      () => undefined,
    );
    const oldest = began?.reduce((least, at) => Math.min(least, at), now);
    this.set('epsilon_runs_open', began?.length ?? Number.NaN);
    this.set('epsilon_oldest_run_seconds', oldest === undefined ? Number.NaN : (now - oldest) / 1_000);
    const attempts = await runs.listOpenAttempts(all).catch(() => undefined);
    const { queueAge, timeUsed } = openWorkOf(attempts ?? [], now);
    for (const [backend, seconds] of Object.entries(queueAge))
      this.set('epsilon_queue_age_seconds', attempts ? seconds : Number.NaN, { backend });
    for (const [stage, part] of Object.entries(timeUsed))
      this.set('epsilon_stage_time_used_ratio', attempts ? part : Number.NaN, { stage });
  }

  count(name: CountName, value: number, dimensions: Readonly<Record<string, string>> = {}): void {
    this.#counters.get(name)?.inc({ ...dimensions }, value);
  }

  duration(
    name: DurationName,
    milliseconds: number,
    dimensions: Readonly<Record<string, string>> = {},
  ): void {
    this.#durations.get(name)?.observe({ ...dimensions }, milliseconds / 1_000);
  }

  set(name: keyof typeof ownFigures, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.#gauges.get(name)?.set({ ...labels }, value);
  }

  /** Prometheus's text form. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
