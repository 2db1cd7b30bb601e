import { dashboards } from '../../../lib/monitoring/dashboards.ts';
import { evaluated } from './demo-night.ts';
import type { Prometheus } from './prometheus.ts';
import type { Check } from './rule-tests.ts';

/** Every query of every dashboard, evaluated after the night. */
export const dashboardsShow = (prometheus: Prometheus): Promise<Check[]> =>
  evaluated(
    prometheus,
    dashboards.flatMap(({ panels }) =>
      panels.flatMap(({ title, lines }) =>
        Object.entries(lines).map(([legend, expression]) => [`${title}: ${legend}`, expression] as const),
      ),
    ),
  );
