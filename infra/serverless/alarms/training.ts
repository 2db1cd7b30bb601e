import { awsAlerts } from '../../../lib/monitoring/aws.ts';
import { machineMetric, type Watch } from '../plugin/alarm.ts';
import { saidOf } from '../plugin/catalogued.ts';
import { type Declared, invalid } from '../plugin/declared.ts';

/** Executions that began in a period and did not end in it. */
const open = ['started', 'succeeded', 'failed', 'aborted', 'timedOut']
  .map((id) => `FILL(${id}, 0)`)
  .join(' - ');

/** The alarm that only training has: runs that hang. Error `SERVICE_INVALID`. */
export function trainingAlarms(declared: Declared): Record<string, Watch> {
  const tenants = declared.machines['tenant-model-training'];
  if (!tenants)
    throw invalid('There is no state machine "tenant-model-training", which alarms/training.ts watches.');
  const executions = (name: string) => machineMetric(tenants.id, `Executions${name}`);
  return {
    StuckExecutionsAlarm: {
      ...saidOf(awsAlerts.StuckExecutions),
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
    },
  };
}
