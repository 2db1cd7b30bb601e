import type { Alert, Counted, OfAws, Share, Silent } from '../../../lib/monitoring/alert.ts';
import { controlPlaneAlerts } from '../../../lib/monitoring/control-plane.ts';
import { rounded } from '../../../lib/monitoring/rounded.ts';
import { ownMetric, sumOf, type Watch } from './alarm.ts';
import type { Declared } from './declared.ts';

/** The share as an expression; where nothing was counted it is what is no fault. */
function shareOf({ whole, part, bound }: Share): string {
  const total = sumOf(Object.keys(whole));
  const enough = typeof bound === 'object' ? `>= ${bound.ofAtLeast}` : '> 0';
  return `IF(${total} ${enough}, FILL(${part[0]}, 0) / (${total}), ${bound === 'atMost' ? 1 : 0})`;
}

/** Where the share rings. */
function boundOf({ bound }: Share, target: number): Pick<Watch, 'comparison' | 'threshold'> {
  if (bound === 'atMost') return { comparison: 'LessThanOrEqualToThreshold', threshold: target };
  return { threshold: bound === 'atLeast' ? rounded(1 - target) : bound.share };
}

function conditionOf(declared: Declared, watched: Counted | Silent | Share): Omit<Watch, 'description'> {
  switch (watched.kind) {
    case 'counted': {
      const { metric, period, atLeast, periods } = watched;
      return {
        watched: ownMetric(declared, metric),
        period,
        threshold: atLeast,
        ...(periods && { periods }),
      };
    }
    case 'silent':
      return {
        watched: ownMetric(declared, watched.metric),
        period: watched.period,
        comparison: 'LessThanThreshold',
        silenceIsFault: true,
      };
    case 'share': {
      const named = Object.entries({ ...watched.whole, [watched.part[0]]: watched.part[1] });
      return {
        watched: {
          expression: shareOf(watched),
          of: Object.fromEntries(named.map(([id, metric]) => [id, ownMetric(declared, metric)])),
        },
        period: watched.period,
        ...boundOf(watched, declared.successTarget),
      };
    }
  }
}

/** Alarms on what the control plane counts, from the catalogue of alerts. */
export function controlPlaneAlarms(declared: Declared): Record<string, Watch> {
  return Object.fromEntries(
    Object.entries<Alert<Counted | Silent | Share>>(controlPlaneAlerts).map(
      ([name, { summary, watched }]) => [
        `${name}Alarm`,
        { description: summary, ...conditionOf(declared, watched) },
      ],
    ),
  );
}

/** What an alert on AWS's own metrics says of every alarm that is made of it. */
export function saidOf({ summary, watched }: Alert<OfAws>, machine?: string): Omit<Watch, 'watched'> {
  const { period, atLeast, periods } = watched;
  return {
    description: machine === undefined ? summary : summary.replaceAll('{machine}', machine),
    period,
    ...(atLeast !== undefined && { threshold: atLeast }),
    ...(periods && { periods }),
  };
}
