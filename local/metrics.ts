import {
  type CountName,
  type DurationName,
  type MetricDefinition,
  metricDefinitions,
} from '../lib/metrics/definitions.ts';
import { type FigureDefinition, Figures } from '../lib/metrics/exposition.ts';
import type { Metrics } from '../lib/ports/metrics.ts';

/** Name of a metric as Prometheus's conventions have it: base units, and `_total` for what only rises. */
export function exposedName(name: CountName | DurationName): string {
  const snake = name.replace(/(?<=[a-z0-9])([A-Z])/g, '_$1').toLowerCase();
  return `epsilon_${snake}_${metricDefinitions[name].unit === 'count' ? 'total' : 'seconds'}`;
}

/** Figures that only this runtime has: those of its host. */
const ownFigures = {
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
    // What was never counted is 0, not absent: a rate over it would miss its first rise.
    for (const [name, { unit, dimensions }] of Object.entries<MetricDefinition>(metricDefinitions))
      if (unit === 'count' && dimensions.length === 0) this.count(name as CountName, 0);
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
