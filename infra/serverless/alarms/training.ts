import { machineMetric, ownMetric, sumOf, type Watch } from '../plugin/alarm.ts';
import { type Declared, invalid } from '../plugin/declared.ts';

const week = 604_800;
const day = 86_400;

/** Seven days' share of successful runs; an environment in which none ended has not missed its target. */
const successRate = (() => {
  const total = sumOf(['succeeded', 'failed']);
  return `IF(${total} > 0, FILL(succeeded, 0) / (${total}), 1)`;
})();

/** Executions that began in a period and did not end in it. */
const open = ['started', 'succeeded', 'failed', 'aborted', 'timedOut']
  .map((id) => `FILL(${id}, 0)`)
  .join(' - ');

/** Alarms that only training has: its target, runs that hang, and the reconciler. Error `SERVICE_INVALID`. */
export function trainingAlarms(declared: Declared): Record<string, Watch> {
  const tenants = declared.machines['tenant-model-training'];
  if (!tenants)
    throw invalid('There is no state machine "tenant-model-training", which alarms/training.ts watches.');
  const executions = (name: string) => machineMetric(tenants.id, `Executions${name}`);
  return {
    SuccessRateAlarm: {
      description: 'Of the training runs of seven days not more than 95 % succeeded.',
      watched: {
        expression: successRate,
        of: { succeeded: ownMetric(declared, 'RunsSucceeded'), failed: ownMetric(declared, 'RunsFailed') },
      },
      period: week,
      comparison: 'LessThanOrEqualToThreshold',
      threshold: declared.successTarget,
    },
    StuckExecutionsAlarm: {
      description:
        'Executions of a day did not end within it: a night takes more than twenty hours, or runs hang.',
      watched: {
        expression: open,
        of: {
          started: executions('Started'),
          succeeded: executions('Succeeded'),
          failed: executions('Failed'),
          aborted: executions('Aborted'),
          timedOut: executions('TimedOut'),
        },
      },
      period: day,
    },
    ReconcilerSilentAlarm: {
      description: 'The reconciler has not finished a pass for five minutes; lost events stay open.',
      watched: ownMetric(declared, 'ReconcilerPasses'),
      period: 300,
      comparison: 'LessThanThreshold',
      silenceIsFault: true,
    },
    BadImageAlarm: {
      description:
        'Jobs of several tenants could not be started by one image: no run begins with it (epsilon images list).',
      watched: ownMetric(declared, 'ImagesMarkedBad'),
      period: 60,
    },
    ReconcilerFaultsAlarm: {
      description: 'The reconciler keeps failing on an attempt.',
      watched: ownMetric(declared, 'ReconcilerFaults'),
      period: 60,
      periods: { of: 5, over: 3 },
    },
  };
}
