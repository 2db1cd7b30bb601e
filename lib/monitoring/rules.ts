import { exposedName } from '../metrics/exposed.ts';
import type { Alert, Alerts, Counted, Query, Share, Silent } from './alert.ts';
import { rounded } from './rounded.ts';

/** What Prometheus can watch. */
type Watched = Counted | Silent | Share | Query;

/** What is rendered with. */
export interface RuleSettings {
  /** Share of runs that must be exceeded, 0 to 1. */
  readonly successTarget: number;
}

/** A rule as Prometheus reads it. */
export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Shortest window: two scrapes of a target that is read once a minute, and one more. */
const shortest = 300;

const rise = (metric: Counted['metric'], seconds: number) =>
  `sum(increase(${exposedName(metric)}[${seconds}s]))`;

function counted({ metric, period, atLeast, periods }: Counted): string {
  if (!periods) return `${rise(metric, Math.max(period, shortest))} >= ${atLeast}`;
  const { of, over } = periods;
  return `count_over_time((${rise(metric, period)} >= ${atLeast})[${of * period}s:${period}s]) >= ${over}`;
}

function share({ whole, part, period, bound }: Share, { successTarget }: RuleSettings): string {
  const total = Object.values(whole)
    .map((metric) => rise(metric, period))
    .join(' + ');
  const ratio = `${rise(part[1], period)} / (${total})`;
  if (typeof bound === 'object') return `${ratio} >= ${bound.share} and (${total}) >= ${bound.ofAtLeast}`;
  // Without anything counted it is 0/0, which compares with nothing; a part beside the whole could make it infinite.
  return bound === 'atMost'
    ? `${ratio} <= ${successTarget}`
    : `${ratio} >= ${rounded(1 - successTarget)} and (${total}) > 0`;
}

function condition(watched: Watched, settings: RuleSettings): Pick<Rule, 'expr' | 'for'> {
  switch (watched.kind) {
    case 'counted':
      return { expr: counted(watched) };
    case 'share':
      return { expr: share(watched, settings) };
    case 'silent':
      // Two minutes: a control plane that has just begun has not had time for what it does every minute.
      return {
        expr: `${rise(watched.metric, watched.period)} < 1 or absent(${exposedName(watched.metric)})`,
        for: '2m',
      };
    case 'query':
      return {
        expr: watched.expression.replaceAll('$target', String(settings.successTarget)),
        ...(watched.for === '0s' ? {} : { for: watched.for }),
      };
  }
}

/** An alert as a rule of Prometheus. */
function ruleOf(name: string, alert: Alert<Watched>, settings: RuleSettings): Rule {
  return {
    alert: name,
    ...condition(alert.watched, settings),
    labels: { severity: alert.severity },
    annotations: { summary: alert.summary, runbook: `docs/operate.md#${name.toLowerCase()}` },
  };
}

/** A group of rules, as it stands in a rule file and in a `PrometheusRule`. */
export function groupOf(name: string, alerts: Alerts<Watched>, settings: RuleSettings) {
  return { name, rules: Object.entries(alerts).map(([id, alert]) => ruleOf(id, alert, settings)) };
}
