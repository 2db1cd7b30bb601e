import { discoveryRate } from '../../../lib/quality/anomalies.ts';
import { newDetector, observe } from '../../../lib/quality/detector.ts';
import { metrics } from '../../../lib/quality/metrics.ts';
import { readM4 } from '../m4.ts';

const hour = 3_600_000;

/** M4 says no dates of its hourly series: a Monday without a change of clocks. */
const begin = Date.parse('2026-01-05T00:00:00Z');

/** What one number alone has to surprise by among all that a look follows. */
const enough = -Math.log10(discoveryRate / (metrics.length + 1));

/** How often the detector of counts would tell something of the real series of M4 Hourly, of which nobody knows what is unusual. */
export function benchM4Alarms(folder: string): Record<string, unknown> {
  const series = readM4(folder).map(({ train, test }) => [...train, ...test]);
  let [alarms, hours, alarmed] = [0, 0, 0];
  for (const values of series) {
    let state = newDetector({ weekly: true });
    let own = 0;
    values.forEach((value, index) => {
      const at = begin + index * hour;
      const { judgement, state: next } = observe(state, {
        at,
        value: Math.log1p(Math.max(0, value)),
        sampling: 0,
      });
      state = next;
      if (judgement.news && judgement.surprise >= enough) own += 1;
    });
    hours += values.length;
    alarms += own;
    if (own > 0) alarmed += 1;
  }
  return {
    series: series.length,
    hours,
    alarmsInAQuarter: (alarms / hours) * 91 * 24,
    alarmed: alarmed / series.length,
  };
}
