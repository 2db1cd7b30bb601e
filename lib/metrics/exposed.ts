import { type CountName, type DurationName, dimensionValues, metricDefinitions } from './definitions.ts';
import type { FigureLabels } from './exposition.ts';

/** Name of a metric as Prometheus's conventions have it: base units, and `_total` for what only rises. */
export function exposedName(name: CountName | DurationName): string {
  const snake = name.replace(/(?<=[a-z0-9])([A-Z])/g, '_$1').toLowerCase();
  return `epsilon_${snake}_${metricDefinitions[name].unit === 'count' ? 'total' : 'seconds'}`;
}

/** Every combination of labels that a metric with these dimensions can have; none where one of them is not known before. */
export function knownLabels(dimensions: readonly string[], functions: readonly string[]): FigureLabels[] {
  return dimensions.reduce<FigureLabels[]>(
    (all, dimension) => {
      const values = dimension === 'function' ? functions : (dimensionValues[dimension] ?? []);
      return all.flatMap((labels) => values.map((value) => ({ ...labels, [dimension]: value })));
    },
    [{}],
  );
}
