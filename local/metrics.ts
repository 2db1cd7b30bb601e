import {
  type CountName,
  type DurationName,
  type MetricDefinition,
  metricDefinitions,
} from '../lib/metrics/definitions.ts';
import { exposedName, knownLabels } from '../lib/metrics/exposed.ts';
import { type FigureDefinition, Figures } from '../lib/metrics/exposition.ts';
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
  epsilon_runs_open: { kind: 'gauge', help: 'Runs of tenants that are on record as running.' },
  epsilon_oldest_run_seconds: {
    kind: 'gauge',
    help: 'Seconds since the oldest run that is on record as running began; 0 while there is none.',
  },
} as const satisfies Readonly<Record<string, FigureDefinition>>;

function shownDefinitions(): Record<string, FigureDefinition> {
  const names = Object.keys(metricDefinitions) as (keyof typeof metricDefinitions)[];
  const shown = names.map((name): [string, FigureDefinition] => {
    const { unit, help }: MetricDefinition = metricDefinitions[name];
    return [
      exposedName(name),
      { kind: unit === 'count' ? 'counter' : 'summary', help: `Counted when ${help}.` },
    ];
  });
  return { ...Object.fromEntries(shown), ...ownFigures };
}

/** Counters and durations of this process, as Prometheus's text form shows them on `/metrics`. */
export class LocalMetrics implements Metrics {
  readonly #figures = new Figures<string>(shownDefinitions());

  constructor() {
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
  async readRecords(runs: Pick<RunStore, 'listRunningRuns'>, now: number): Promise<void> {
    const began = await runs.listRunningRuns({ shard: 0, shards: 1 }).then(
      (open) => open.map(({ startedAt }) => Date.parse(startedAt)),
      () => undefined,
    );
    const oldest = began?.reduce((least, at) => Math.min(least, at), now);
    this.set('epsilon_runs_open', began?.length ?? Number.NaN);
    this.set('epsilon_oldest_run_seconds', oldest === undefined ? Number.NaN : (now - oldest) / 1_000);
  }

  count(name: CountName, value: number, dimensions: Readonly<Record<string, string>> = {}): void {
    this.#figures.count(exposedName(name), dimensions, value);
  }

  duration(
    name: DurationName,
    milliseconds: number,
    dimensions: Readonly<Record<string, string>> = {},
  ): void {
    this.#figures.observe(exposedName(name), milliseconds / 1_000, dimensions);
  }

  set(name: keyof typeof ownFigures, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.#figures.set(name, value, labels);
  }

  /** Prometheus's text form. */
  text(): string {
    return this.#figures.text();
  }
}
